// The BroadcastChannel of tabs that a test opens in one process: messages come at once, and keep no process alive.

interface Ear {
  readonly name: string
  onmessage: ((event: { data: unknown }) => void) | null
}

export function createBus(): typeof BroadcastChannel {
  const ears = new Set<Ear>()
  class Channel implements Ear {
    onmessage: Ear['onmessage'] = null
    constructor(readonly name: string) {
      ears.add(this)
    }
    postMessage(data: unknown): void {
      for (const ear of ears)
        if (ear !== this && ear.name === this.name) queueMicrotask(() => ears.has(ear) && ear.onmessage?.({ data }))
    }
    close(): void {
      ears.delete(this)
    }
  }
  return Channel as unknown as typeof BroadcastChannel
}
