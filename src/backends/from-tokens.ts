// A vendor's SDK that stays, such as Firebase, MSAL, Amplify or Auth0's: it signs users in, keeps the tokens and renews them. The
// session holds requests, sends them again, shares one refresh over all tabs, and tells of changes. It stores no token.

import { InvalidOptionError } from '../errors.ts'
import { assertKnown, type Names } from '../known-options.ts'
import type { Backend } from '../seam/backend.ts'
import type { Awaitable, Io, RefreshIntent } from '../seam/io.ts'
import type { Credentials, Json } from '../state/credentials.ts'
import { createVendor, isNewToken, type Vendor, type VendorAnswer } from './from-tokens/vendor.ts'
import { type Subscribe, vendorNews } from './from-tokens/vendor-news.ts'
import { attachBearer, ownsEndpoints } from './kit.ts'

export type { Subscribe, VendorAnswer }

export interface FromTokensOptions<U = Json> {
  /**
   * The token that the SDK has, once it knows: it may renew it itself. Nothing: nobody is signed in. An object may say more:
   * `{ accessToken, user, expiresAt }`.
   */
  get(): Awaitable<VendorAnswer<U>>
  /** A new token, whatever the SDK has. Nothing: the session is over. A throw: it could not be found out, see `isOver`. */
  refresh(): Awaitable<VendorAnswer<U>>
  /**
   * Has the SDK call `onChange` at each sign-in, sign-out and new token; calls too many do no harm. Answers what ends that, which
   * is called at `session.dispose()`. Left out: changes are found at the next refresh.
   */
  subscribe?: Subscribe
  /** Signs out of the SDK. Left out: it keeps its session, and the next page load signs the user in again. */
  signOut?(): Awaitable<unknown>
  /** Whether what `get` or `refresh` has thrown says that the user has to sign in again. @default never */
  isOver?(error: unknown): boolean
  /** The SDK's own endpoints, where they are at an origin of the session: never held, and no token goes there. @default [] */
  endpoints?: readonly string[]
}

const OPTIONS: Names<FromTokensOptions> = {
  get: true,
  refresh: true,
  subscribe: true,
  signOut: true,
  isOver: true,
  endpoints: true,
}

/**
 * Over a vendor's SDK. `session.signIn()` asks it who is signed in, after a login of its own.
 *
 * @throws {@link InvalidOptionError} for an option that is missing.
 * @example
 * const session = createSession({
 *   backend: fromTokens({
 *     get: () => auth.currentUser?.getIdToken(),
 *     refresh: () => auth.currentUser?.getIdToken(true),
 *     subscribe: (onChange) => onIdTokenChanged(auth, onChange),
 *     signOut: () => auth.signOut(),
 *   }),
 * })
 */
export function fromTokens<U = Json>(options: FromTokensOptions<U>): Backend<U> {
  assertKnown('fromTokens', options, OPTIONS)
  for (const name of ['get', 'refresh'] as const)
    if (typeof options?.[name] !== 'function')
      throw new InvalidOptionError(name, 'is missing: a function that asks the SDK for a token')
  const { subscribe, endpoints = [], isOver = () => false } = options
  const vendor = createVendor<U>(
    () => options.get(),
    () => options.refresh(),
    isOver,
  )
  const owns = ownsEndpoints(endpoints)

  /** Another tab, or the SDK by itself, may have renewed the refused token. */
  async function findRenewed(held: Credentials<U>, io: Io<U>): Promise<Credentials<U> | null> {
    const said = await vendor.held(io.now())
    return said && isNewToken(said, held, io.now()) ? said : null
  }

  async function refresh(
    held: Credentials<U>,
    io: Io<U>,
    { reason }: Pick<RefreshIntent, 'reason'>,
  ): Promise<Credentials<U> | null> {
    // Of a token that the SDK has already nobody knows whether it was minted after the call.
    const isForced = reason === 'forced' || reason === 'reload' || reason === 'switch'
    const renewed = isForced ? null : await findRenewed(held, io)
    return renewed ?? (await vendor.renewed(io.now())) ?? findRenewed(held, io)
  }

  return {
    name: 'from-tokens',
    inMemory: true,
    ...(subscribe && { use: [vendorNews(vendor as Vendor<unknown> as Vendor<Json>, subscribe)] }),
    owns,
    attach(headers, credentials, { url }) {
      if (!owns(url)) attachBearer(headers, credentials)
    },
    restore: (io) => vendor.held(io.now()),
    refresh,
    async reload(held, io) {
      const fresh = await refresh(held, io, { reason: 'reload' })
      if (!fresh || fresh.user !== undefined) return fresh
      const said = await vendor.held(io.now())
      return said && { ...fresh, ...(said.user !== undefined && { user: said.user }) }
    },
    async signOut() {
      if (!options.signOut) return
      await options.signOut()
      vendor.last = null
    },
  }
}
