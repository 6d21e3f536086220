// The session that an app holds: puts the rooms together, and gives each promise its method. The way of a request is in
// request/intercept.ts, all talk with the server in refresh/exchange.ts, every change of the record in state/changes.ts.

import { InvalidOptionError } from './errors.ts'
import { storageFailed } from './failures.ts'
import type { Session } from './face.ts'
import { createKernel, setUpExtensions } from './kernel.ts'
import { assertKnown } from './known-options.ts'
import { resolveOptions, type SessionOptions } from './options.ts'
import { createCaller } from './refresh/call.ts'
import { createExchange } from './refresh/exchange.ts'
import { createFarewells } from './refresh/farewells.ts'
import { createJournal } from './refresh/journal.ts'
import { createLateWrite } from './refresh/late-write.ts'
import { createLock } from './refresh/lock.ts'
import { createQueue } from './refresh/queue.ts'
import { createRewrite } from './refresh/rewrite.ts'
import { createSchedule } from './refresh/schedule.ts'
import { createStepUpRefusal } from './refresh/step-up-refusal.ts'
import { createGuard, createHooks } from './request/hooks.ts'
import { createAct } from './request/act.ts'
import { createDecide } from './request/decide.ts'
import { createIntercept } from './request/intercept.ts'
import { createLimiter } from './request/limiter.ts'
import { createOrigins } from './request/origins.ts'
import { createPrepare } from './request/prepare.ts'
import { createRefusedRoutes } from './request/refused-routes.ts'
import { internalsKey, type SessionInternals } from './internals.ts'
import { createSend } from './request/send.ts'
import { createSendAlone } from './request/send-alone.ts'
import { createWaiting } from './request/waiting.ts'
import { baseOf, globalsOf, standInFor } from './runtime/globals.ts'
import { createRuntime } from './runtime/runtime.ts'
import { sharedKey, takesTurns } from './runtime/shared-key.ts'
import { createEmitter, type Events } from './session/events.ts'
import { createReadiness } from './session/readiness.ts'
import { createReentrance } from './session/reentrance.ts'
import { createRenew } from './session/renew.ts'
import { createRestore } from './session/restore.ts'
import { createSignIn } from './session/sign-in.ts'
import { createSignOut, createSignOutOperation, SIGN_OUT_OPTIONS } from './session/sign-out.ts'
import { createStore } from './session/store.ts'
import { createGetToken } from './session/tokens.ts'
import type { Json } from './state/credentials.ts'
import { isNewer } from './state/record.ts'

/** The sessions of this page that share what they store. For tools: a second one of one key is a mistake. */
const living = new Set<{ readonly key: string }>()

/**
 * Keeps one session alive. Nothing global is touched.
 *
 * @throws {@link InvalidOptionError} naming the option.
 * @example
 * const session = createSession({ backend: bearer({ refreshUrl: '/auth/refresh' }) })
 * const me = await session.fetch('/api/me')
 */
export function createSession<U = Json, C = Json>(options: SessionOptions<U, C>): Session<U, C> {
  const { backend, platform = {}, initial, use = [] } = options
  const get = globalsOf(platform)
  const settings = resolveOptions(options, get('location')?.origin)
  const { storage, leeway, timeout } = settings

  // What everything stands on.
  const key = sharedKey(settings.name, backend, baseOf(get))
  const runtime = createRuntime<U>(get, storage, key, reportStorage, takesTurns(backend))
  const { clock, channel, disposed } = runtime
  const own = { key }
  const events = createEmitter<U, C>(clock.now)
  const store = createStore(clock, events, leeway, backend)
  const reentrance = createReentrance()
  const context = { runtime, backend, settings, events, store, reentrance }

  // All talk with the server.
  const callBackend = createCaller(context)
  const signOutOperation = createSignOutOperation<U>(backend)
  const withLock = createLock(runtime, timeout, settings.replayWindow, () => store.lastFailure)
  const journal = createJournal(context)
  const exchange = createExchange(context, withLock, journal, callBackend, signOutOperation, createLateWrite(context))
  const readiness = createReadiness(context, createRewrite(context, exchange))
  const stepUpRefusal = createStepUpRefusal(context)
  const requestRefresh = createQueue(context, exchange, stepUpRefusal)
  const { begin, restore } = createRestore(context, readiness, exchange)
  const signIn = createSignIn(context, readiness, callBackend, exchange)
  const farewells = createFarewells(context, exchange, signOutOperation)
  const signOut = createSignOut(context, farewells.tellAll)

  // The way of a request.
  const kernel = createKernel(context, requestRefresh, exchange)
  const extensions = setUpExtensions([...use, ...(backend.use ?? [])], kernel)
  const guard = createGuard((error) => events.emit('error', { error }))
  const hooks = createHooks(extensions, backend, guard)
  const isAllowed = createOrigins(settings.origins, runtime.base)
  const waiting = createWaiting(context, readiness, requestRefresh)
  const refusedRoutes = createRefusedRoutes(context)
  const prepare = createPrepare(context, readiness, waiting, createLimiter(), hooks, stepUpRefusal)
  const send = createSend(context, guard)
  const sendAlone = createSendAlone(context, withLock, send, hooks)
  const decide = createDecide(context, isAllowed, waiting, refusedRoutes, hooks, guard)
  const act = createAct(context, waiting, requestRefresh, refusedRoutes, hooks, prepare)
  const fetch = standInFor(
    get('fetch'),
    createIntercept(context, isAllowed, hooks, prepare, send, sendAlone, decide, act),
  )
  const getToken = createGetToken(context, readiness, requestRefresh, extensions)
  const renew = createRenew(context, readiness, requestRefresh)

  // What happens by itself.
  const schedule = createSchedule(context, readiness, requestRefresh, restore)
  store.onStep((source, isNews) => {
    if (isNews && source !== 'other-tab') channel.post('moved')
    waiting.wake()
    schedule.arm(isNews)
    farewells.arm()
  })
  channel.listen((hint) => void (hint === 'cleared' ? journal.reseed().catch(() => {}) : readiness.sync()))
  if (initial === undefined) schedule.arm()
  else begin(initial)

  function reportStorage(cause: unknown): void {
    events.emit('error', { error: storageFailed(storage.name, get('isSecureContext') !== false, cause) })
  }

  function dispose(): void {
    living.delete(own)
    runtime.dispose()
    schedule.arm()
    farewells.arm()
    events.clear()
  }

  const internals: SessionInternals = {
    setTransport: (below) => (runtime.fetch = (below as typeof fetch) ?? ((input, init) => get('fetch')!(input, init))),
    disposed,
    global: get('globalThis')!,
    get,
    about: {
      name: settings.name,
      key,
      backend: backend.name,
      origins: settings.origins,
      page: settings.page,
      // Not the store itself, which has the tokens: whoever prints a session would print them.
      store: {
        get lastFailure() {
          return store.lastFailure
        },
        get canRefresh() {
          return store.canRefresh
        },
        get tokenNumber() {
          return store.tokenNumber
        },
        get receivedAtMono() {
          return store.receivedAtMono
        },
      },
      hasTwin: () => [...living].some((each) => each !== own && each.key === key),
    },
    isAllowed,
    tell: (error) => events.emit('error', { error }),
    runtime: { base: runtime.base, clock, get },
    get version() {
      return store.view.version
    },
    renew: async (refused) => isNewer(store.view.version, refused) || requestRefresh({ reason: 'expired' }),
  }

  const session: Omit<Session<U, C>, typeof Symbol.dispose> = {
    fetch,
    get current() {
      return store.state
    },
    get extras() {
      return store.credentials?.extras ?? null
    },
    async ready() {
      await readiness.untilReady()
      return store.state
    },
    getToken,
    refresh: (asked) => renew('refresh', asked),
    reload: (asked) => renew('reload', asked),
    async signIn(from) {
      await signIn(from)
      return store.state
    },
    async signOut(how) {
      await signOut(how)
      // Only after the sign-out: a typo in an option must not keep the user signed in.
      assertKnown('session.signOut', how, SIGN_OUT_OPTIONS)
      return store.state
    },
    on(event, listener) {
      if (!EVENTS.includes(event))
        throw new InvalidOptionError(`on('${event}')`, `is no event: there are ${EVENTS.join(', ')}`)
      return events.on(event, listener)
    },
    subscribe(run) {
      const undo = events.on('change', ({ current }) => run(current))
      run(store.state)
      return undo
    },
    dispose,
  }
  if (settings.page && runtime.isShared) living.add(own)
  // Not enumerable: nobody copies or prints it.
  Object.defineProperty(session, internalsKey, { value: internals })
  return Object.assign(session, { [Symbol.dispose ?? 'dispose']: dispose })
}

const EVENTS: readonly string[] = ['change', 'error', 'trace'] satisfies (keyof Events)[]
