// What is touched of the page, frame or worker whose XMLHttpRequest is patched.

export type XhrTarget = Pick<
  typeof globalThis,
  'XMLHttpRequest' | 'Event' | 'ProgressEvent' | 'MessageChannel' | 'location' | 'setTimeout' | 'clearTimeout'
> & { document?: Document }

export type OpenArguments = [
  method: string,
  url: string | URL,
  async?: boolean,
  ...login: (string | null | undefined)[],
]

/** Its next task: unlike a timer, not late in the background. */
export const turn = ({ MessageChannel }: XhrTarget): Promise<void> =>
  new Promise((done) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => done(port1.close())
    port2.postMessage(0)
  })
