// What code of the app sees of a response that belongs to a caller: the same response, but its body is a copy. Code that reads it
// without `clone()` takes nothing from the caller. The copy is made once somebody reads: most only look at the status.

const READS_BODY = ['body', 'bodyUsed', 'json', 'text', 'arrayBuffer', 'blob', 'bytes', 'formData']

export function viewOf(response: Response): Response {
  let copy: Response | undefined

  function get(_: Response, name: keyof Response): unknown {
    const isRead = READS_BODY.includes(name) && name !== 'bodyUsed'
    if (isRead && !response.bodyUsed) copy ??= response.clone()
    const source = READS_BODY.includes(name) || name === 'clone' ? (copy ?? response) : response
    const value: unknown = source[name]
    return typeof value === 'function' ? (value as () => unknown).bind(source) : value
  }

  return new Proxy(response, { get: get as ProxyHandler<Response>['get'] & {} })
}
