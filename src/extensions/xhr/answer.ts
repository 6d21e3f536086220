// What an XMLHttpRequest got, as the Response that a session judges. Its body is read only by those who ask for it, and then
// comes out of what the object holds anyway.

const WITHOUT_BODY = [204, 205, 304]

/**
 * Once the headers are there.
 * @param get Reads the native object.
 * @param asked The absolute URL it was opened with.
 * @param whole Resolves when the body is there, too.
 */
export function responseOf(
  get: <T>(name: string) => T,
  headers: string,
  asked: string,
  whole: Promise<void>,
): Response {
  const status = get<number>('status')
  const url = get<string>('responseURL')
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await whole
        controller.enqueue(new Uint8Array(await new Response(held(get)).arrayBuffer()))
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  const pairs = headers.split('\r\n').flatMap((line): [string, string][] => {
    const colon = line.indexOf(':')
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : []
  })
  const response = new Response(WITHOUT_BODY.includes(status) ? null : body, {
    headers: pairs,
    statusText: get<string>('statusText'),
  })
  // Not to be had from the constructor, which also refuses the stranger statuses.
  const says = { status, ok: status >= 200 && status < 300, url, redirected: url !== asked.replace(/#.*/, '') }
  return Object.defineProperties(
    response,
    Object.fromEntries(Object.entries(says).map(([name, value]) => [name, { value }])),
  )
}

function held(get: <T>(name: string) => T): BodyInit {
  const response = get<BodyInit | null>('response')
  const type = get<XMLHttpRequestResponseType>('responseType')
  return type === 'json' ? JSON.stringify(response) : type === 'document' ? '' : (response ?? '')
}
