// `navigator.locks` for tabs that live in one process: what a browser does between its tabs (Web Locks API §4).

interface Lock {
  readonly name: string
  readonly mode: LockMode
  readonly clientId: string
  release(): void
  lose(reason: unknown): void
}

interface Waiting {
  readonly mode: LockMode
  grant(): void
}

/** The locks of one browser. */
export interface SharedLocks {
  /** `navigator.locks`, as one tab sees it. */
  forTab(clientId: string): LockManager
  /** A tab is closed: its locks are free. */
  freeAll(clientId: string): void
}

export function createSharedLocks(): SharedLocks {
  const held: Lock[] = []
  const queues = new Map<string, Waiting[]>()

  const holdersOf = (name: string): Lock[] => held.filter((lock) => lock.name === name)

  function mayHold(name: string, mode: LockMode): boolean {
    return holdersOf(name).every((lock) => lock.mode === 'shared' && mode === 'shared')
  }

  function grantNext(name: string): void {
    const queue = queues.get(name) ?? []
    while (queue[0] && mayHold(name, queue[0].mode)) queue.shift()!.grant()
  }

  function drop(lock: Lock): void {
    const place = held.indexOf(lock)
    if (place >= 0) held.splice(place, 1)
    grantNext(lock.name)
  }

  function request<T>(
    clientId: string,
    name: string,
    { mode = 'exclusive', signal, steal = false, ifAvailable = false }: LockOptions,
    use: (lock: object | null) => T | Promise<T>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const queue = queues.get(name) ?? []
      queues.set(name, queue)

      function hold(): void {
        signal?.removeEventListener('abort', leave)
        const lock: Lock = { name, mode, clientId, release: () => drop(lock), lose: reject }
        held.push(lock)
        const used = new Promise<T>((done) => done(use({ name, mode })))
        used.then(resolve, reject).finally(lock.release)
      }
      const waiting = { mode, grant: hold }
      function leave(): void {
        queue.splice(queue.indexOf(waiting), 1)
        reject(signal!.reason as Error)
      }

      if (signal?.aborted) return reject(signal.reason as Error)
      if (steal) {
        for (const lock of holdersOf(name)) {
          held.splice(held.indexOf(lock), 1)
          lock.lose(new DOMException('The lock was stolen', 'AbortError'))
        }
        return hold()
      }
      const isFree = queue.length === 0 && mayHold(name, mode)
      if (isFree) return hold()
      if (ifAvailable) return resolve(use(null))
      signal?.addEventListener('abort', leave)
      queue.push(waiting)
    })
  }

  return {
    forTab: (clientId) =>
      ({
        request: (name: string, options: LockOptions | (() => unknown), use?: () => unknown) =>
          typeof options === 'function' ? request(clientId, name, {}, options) : request(clientId, name, options, use!),
        query: async () => ({ held: held.map((lock) => ({ ...lock })), pending: [] }),
      }) as unknown as LockManager,
    freeAll: (clientId) => held.filter((lock) => lock.clientId === clientId).forEach((lock) => lock.release()),
  }
}
