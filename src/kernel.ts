// What the session lets an extension do: each line is a promise to whoever writes one.

import type { Context } from './context.ts'
import { type AnySessionError, InvalidOptionError } from './errors.ts'
import { isTransient } from './failures.ts'
import type { RequestRefresh } from './refresh/queue.ts'
import type { CoreOperation, Exchange } from './refresh/operation.ts'
import type { NamedHooks } from './request/hooks.ts'
import type { Commit, Extension, Kernel, ServerSkills } from './seam/extension.ts'
import { requireToken } from './session/answers.ts'
import { writeAlone } from './session/write.ts'
import type { Credentials } from './state/credentials.ts'
import type { State } from './state/view.ts'

export function createKernel<U, C>(
  { runtime, backend, settings, store, events, reentrance }: Context<U, C>,
  requestRefresh: RequestRefresh,
  exchange: Exchange<U>,
): Kernel {
  async function refresh(options?: { reload?: boolean }): Promise<void> {
    const refreshing = tryRefresh(options)
    // A login function whose request asks for that would wait for itself.
    if (!reentrance.isLoggingIn) await refreshing
  }

  async function tryRefresh({ reload = false } = {}): Promise<void> {
    try {
      await requestRefresh({ reason: reload ? 'reload' : 'forced' }, { forced: true, reload })
    } catch (error) {
      // No call can be told. What could not be found out is stale from here on, and heals.
      if (isTransient(error) && store.canRefresh) store.dispatch({ type: 'failing' })
      else events.emit('error', { error: error as AnySessionError })
    }
  }

  async function write(commit: Commit<U>): Promise<void> {
    if (commit.credentials) requireToken(backend, commit.credentials)
    store.adopt(await writeAlone(runtime.records, commit), 'server')
  }

  // An extension does not know the app's types of user and claims: for it they are JSON.
  return {
    server: backend as ServerSkills<unknown> as ServerSkills,
    get current() {
      return store.state as State
    },
    get version() {
      return store.view.version
    },
    get credentials() {
      return store.credentials as Credentials | null
    },
    get hasDecided() {
      return store.hasDecided
    },
    isExpired: ({ response, request }) => settings.isExpired(response, request),
    disposed: runtime.disposed,
    now: runtime.clock.now,
    mono: runtime.clock.mono,
    refresh,
    write: (commit) => write(commit as Commit<U>),
    report: (error) => events.emit('error', { error }),
    exchange: async (operation) => (await exchange(operation as unknown as CoreOperation<U, never>)).answer,
  }
}

/** @throws InvalidOptionError where two extensions have one name. */
export function setUpExtensions(extensions: readonly Extension[], kernel: Kernel): NamedHooks[] {
  const names = new Set<string>()
  return extensions.map(({ name, setup }) => {
    if (names.has(name)) throw new InvalidOptionError('use', `has ${name} twice: leave one out`)
    names.add(name)
    return { ...setup(kernel), name }
  })
}
