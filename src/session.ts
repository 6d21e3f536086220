// The session an app holds: puts the parts together, and gives each promise its method. What happens to a request is in
// flow/intercept, what happens to the credentials in flow/refresh.

import type { Json } from './core/credentials.ts'
import type { State } from './core/state.ts'
import { RefreshFailedError, SessionEndedError } from './errors.ts'
import { createAfter } from './flow/after.ts'
import { createCaller } from './flow/call.ts'
import { createEmitter, type Events } from './flow/events.ts'
import { createFarewell } from './flow/farewell.ts'
import { createFlights } from './flow/flights.ts'
import { createGate } from './flow/gate.ts'
import { createHold } from './flow/hold.ts'
import { createInstall } from './flow/install.ts'
import { createIntercept } from './flow/intercept.ts'
import { createJournal } from './flow/journal.ts'
import { createLifecycle, type SignIn } from './flow/lifecycle.ts'
import { createOrigins } from './flow/origins.ts'
import { createParking } from './flow/parking.ts'
import { createAttempt } from './flow/refresh.ts'
import { createRefusals } from './flow/refusals.ts'
import { createSchedule } from './flow/schedule.ts'
import { createSideTokens } from './flow/side-tokens.ts'
import { byChallenge } from './flow/step-up.ts'
import { createStore } from './flow/store.ts'
import { createTokens, type TokenOptions } from './flow/tokens.ts'
import { createTurn } from './flow/turn.ts'
import { type SessionOptions, settle } from './options.ts'
import type { SessionRequestInit } from './outgoing.ts'
import { globalsOf } from './platform/globals.ts'
import { createWorld } from './platform/world.ts'
import type { Undo, Wanted } from './ports.ts'
import { orAborted } from './wait.ts'

export interface RefreshOptions {
  /** Switches the session to this organization. */
  organizationId?: string
  /** Rejects with {@link SessionEndedError} if nobody is signed in then, in place of resolving. @default false */
  ensureSignedIn?: boolean
  /** Input for the backend, where the server takes some. */
  data?: Json
  /** Frees this caller; the refresh goes on for the others. */
  signal?: AbortSignal
}

/** Every method is this-free: `const { fetch, getToken } = session` works. */
export interface Session<U = Json, C = Json> {
  /**
   * Fetch, with the session's credentials for its {@link SessionOptions.origins}. A request that meets an expired session
   * waits for the one refresh and is sent again.
   *
   * Keeps fetch's contract: an HTTP status never rejects, and a 401 that is handed back is the server's no.
   *
   * @throws {@link RefreshFailedError}, {@link RefreshTimeoutError} It could not be found out whether the session lives. It is kept.
   * @throws {@link SessionEndedError} The user signed out, or another signed in, while the request waited. It was not sent again.
   * @throws {@link ReplayError} The body can't be sent a second time. `error.response` is the server's refusal.
   */
  fetch(input: RequestInfo | URL, init?: SessionRequestInit): Promise<Response>
  /** What is known now. A new object at every change, the same one in between. */
  readonly current: State<U, C>
  /**
   * Resolves once the first answer is known: never again `loading`.
   * @throws {@link RefreshTimeoutError} after {@link SessionOptions.timeout}. Asking goes on.
   */
  ready(): Promise<State<U, C>>
  /**
   * An access token that is not spent, or `null`: nobody is signed in (also if this very call found that out), or the
   * session has no token that scripts can read. From memory where it is good; otherwise one refresh, shared by all who ask.
   *
   * @throws {@link RefreshFailedError}, {@link RefreshTimeoutError} It could not be found out. The session is kept; ask again later.
   * @throws {@link StepUpRequiredError} The server wants more of the user first. The session is kept.
   * @see [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)
   */
  getToken(options?: TokenOptions): Promise<string | null>
  /**
   * New credentials from a refresh that starts after this call. Callers that come while it waits share it; nobody joins the
   * one that runs. Resolves unauthenticated if the server ended the session.
   *
   * @throws as {@link Session.getToken}; {@link SessionEndedError} with `ensureSignedIn`. A refused switch keeps the session.
   */
  refresh(options?: RefreshOptions): Promise<State<U, C>>
  /** As {@link Session.refresh}, and the user: both newer than this call. */
  reload(options?: Pick<RefreshOptions, 'data' | 'signal'>): Promise<State<U, C>>
  /**
   * After the app's own login: with the credentials it got; with a function that logs in, run while no refresh is under way;
   * or with nothing, where the backend can ask the server who is signed in.
   *
   * @throws what the function throws, {@link InvalidTokenError}. The state is as before.
   */
  signIn(from?: SignIn<U>): Promise<State<U, C>>
  /**
   * Ends the session: here and now, then at the server. Never rejects because the server is away; it is told as soon as it
   * can be. `local` does not tell it at all.
   */
  signOut(options?: { local?: boolean; signal?: AbortSignal }): Promise<State<U, C>>
  /** @returns what ends the subscription. A listener that throws harms nobody. */
  on<E extends keyof Events<U, C>>(event: E, listener: (event: Events<U, C>[E]) => unknown): Undo
  /** Calls `run` now and at every change: the contract of a Svelte store, and enough for React's `useSyncExternalStore`. */
  subscribe(run: (current: State<U, C>) => void): Undo
  /** Patches `target.fetch`, of this global by default, so that code you don't own takes part. @returns what undoes it. */
  install(target?: { fetch: typeof fetch }): Undo
  /** From here on nothing happens by itself: no timer, no listener, no patch. */
  dispose(): void
  [Symbol.dispose](): void
}

/**
 * Keeps one session alive. Nothing global is touched.
 *
 * @throws {@link InvalidOptionError} naming the option.
 * @example
 * const session = createSession({ backend: bearer({ refreshUrl: '/auth/refresh' }) })
 * const me = await session.fetch('/api/me')
 */
export function createSession<U = Json, C = Json>(options: SessionOptions<U, C>): Session<U, C> {
  const { platform = {}, initial } = options
  const get = globalsOf(platform)
  const settings = settle(options, get('location')?.origin)
  const { backend, leeway, timeout } = settings
  const world = createWorld<U>(get, settings.storage, settings.name, (cause) =>
    events.emit('error', {
      error: new RefreshFailedError('Storage failed: the session lives in memory now', { cause }),
    }),
  )
  const real = world.fetch

  const events = createEmitter<U, C>(world.now)
  const store = createStore(world, events, leeway, (source, isNews) => {
    if (isNews && source !== 'other-tab') world.post()
    look()
    schedule.arm(isNews)
  })
  const { park, look } = createParking(store, events, world.life)
  const call = createCaller(world, backend, timeout)
  const turn = createTurn(world, timeout)
  const farewell = createFarewell(world, backend, call)
  const journal = createJournal(world, timeout)
  const parts = { ...settings, world, store, events, call, turn, journal, farewell }
  const flights = createFlights(world, store, createAttempt(parts))
  const lifecycle = createLifecycle(parts)
  const { getToken, known } = createTokens({ ...parts, flights, sideToken: createSideTokens(parts) })
  const origins = createOrigins(settings.origins, world.base)
  const ours = createIntercept({
    ...parts,
    flights,
    gate: createGate(),
    hold: createHold({ ...parts, flights }),
    origins,
    refusals: createRefusals(world, store),
    stepUp: backend.stepUp?.bind(backend) ?? byChallenge,
    park,
    observed: lifecycle.observed,
    answered: createAfter(settings.refreshAfter, origins, { ...parts, flights }),
  })
  const install = createInstall(ours, (below = real) => (world.fetch = below))
  const schedule = createSchedule({ ...parts, flights, lifecycle })
  const undos: Undo[] = [world.dispose, schedule.arm, events.clear]
  world.listen(() => void store.sync())
  if (initial === undefined) schedule.arm()
  else lifecycle.begin(initial)

  let inputs = 0
  async function renew(wanted: Wanted, { signal, ensureSignedIn }: RefreshOptions): Promise<State<U, C>> {
    await known(signal)
    const { data, organizationId, reason } = wanted
    const alone = data ? `data ${++inputs}` : organizationId
    if (store.state.status === 'authenticated')
      await orAborted(flights(wanted, { forced: true, reload: reason === 'reload', alone }), signal)
    const { status, reason: why } = store.state
    if (ensureSignedIn && status !== 'authenticated')
      throw new SessionEndedError((why === 'restored' ? 'signed-out' : why) as SessionEndedError['reason'])
    return store.state
  }

  const session: Omit<Session<U, C>, typeof Symbol.dispose> = {
    fetch: ours,
    get current() {
      return store.state
    },
    async ready() {
      await known()
      return store.state
    },
    getToken,
    refresh: ({ organizationId, data, ...rest } = {}) =>
      renew({ reason: organizationId === undefined ? 'forced' : 'switch', organizationId, data }, rest),
    reload: ({ data, ...rest } = {}) => renew({ reason: 'reload', data }, rest),
    async signIn(from) {
      await lifecycle.signIn(from)
      return store.state
    },
    async signOut(how) {
      if (!(await lifecycle.signOut(how))) schedule.failed()
      return store.state
    },
    on: events.on,
    subscribe(run) {
      const undo = events.on('change', ({ current }) => run(current))
      run(store.state)
      return undo
    },
    install(target = get('globalThis')!) {
      const undo = install(target)
      undos.push(undo)
      return undo
    },
    dispose: () => undos.forEach((undo) => undo()),
  }
  return Object.assign(session, { [Symbol.dispose ?? 'dispose']: session.dispose })
}
