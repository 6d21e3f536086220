// Four vendors' SDKs, each with as much of its documented API as our pages use, over one cloud that mints tokens. None is the
// vendor's own software: what they do is written from the vendors' reference pages. Firebase JS 12 (`currentUser`,
// `getIdToken(forceRefresh)`, `onIdTokenChanged`), MSAL Browser 4 (`acquireTokenSilent`, `addEventCallback`), Amplify 6
// (`fetchAuthSession`, `Hub.listen`), Auth0 SPA JS 2 (`getTokenSilently`, `isAuthenticated`). All share their cache between tabs,
// as they do with their caches in IndexedDB or localStorage.

import { jwt } from '../../support/session.ts'

export interface CloudUser {
  readonly id: string
  name: string
}

/** What the vendor's servers and the app's API know. */
export class Cloud {
  readonly users = [
    { id: 'ann', name: 'Ann' },
    { id: 'bob', name: 'Bob' },
  ]
  mints = 0
  isDown = false
  isRevoked = false
  /** What a request to the vendor goes through. */
  transport: () => Promise<unknown> = async () => {}
  #good = new Set<string>()

  constructor(readonly now: () => number = Date.now) {}

  /** No token that is out is accepted any more. */
  expire(): void {
    this.#good.clear()
  }

  accepts(authorization: string | null): CloudUser | undefined {
    const token = authorization?.replace('Bearer ', '') ?? ''
    if (!this.#good.has(token)) return undefined
    const { sub } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sub: string }
    return this.users.find(({ id }) => id === sub)
  }

  async mint(id: string): Promise<string> {
    await this.transport()
    if (this.isDown) throw Object.assign(new Error('network request failed'), { code: 'auth/network-request-failed' })
    if (this.isRevoked)
      throw Object.assign(new Error('sign in again'), { code: 'auth/user-token-expired', error: 'login_required' })
    const iat = Math.floor(this.now() / 1000)
    const token = jwt({ sub: id, iat, exp: iat + 3600, n: ++this.mints })
    this.#good.add(token)
    return token
  }
}

/** What an SDK keeps, for all tabs of a browser. */
export interface Cache {
  session: { user: CloudUser; token: string } | null
  readonly listeners: Set<(event: { eventType: string }) => void>
}

export const createCache = (): Cache => ({ session: null, listeners: new Set() })

/** What the four have in common. */
export class Sdk {
  asked = 0

  constructor(
    readonly cloud: Cloud,
    readonly cache: Cache,
  ) {}

  protected tell(eventType: string): void {
    this.cache.listeners.forEach((run) => run({ eventType }))
  }

  protected listen(run: (event: { eventType: string }) => void): () => void {
    this.cache.listeners.add(run)
    return () => this.cache.listeners.delete(run)
  }

  /** The vendor's own login. */
  async logIn(id: string): Promise<void> {
    const user = this.cloud.users.find((each) => each.id === id)!
    this.cache.session = { user: { ...user }, token: await this.cloud.mint(id) }
    this.tell('signedIn')
  }

  async logOut(): Promise<void> {
    this.cache.session = null
    this.tell('signedOut')
  }

  /** By itself, such as a timer does. */
  async renew(): Promise<string> {
    const { user } = this.cache.session!
    try {
      const token = await this.cloud.mint(user.id)
      this.cache.session = { user: { ...this.cloud.users.find(({ id }) => id === user.id)! }, token }
      this.tell('tokenRefreshed')
      return token
    } catch (error) {
      if ((error as { code?: string }).code === 'auth/user-token-expired') this.cache.session = null
      throw error
    }
  }

  protected async token(isForced: boolean): Promise<string> {
    this.asked++
    return isForced ? this.renew() : this.cache.session!.token
  }
}

export class FirebaseAuth extends Sdk {
  #isReady = false

  async authStateReady(): Promise<void> {
    await new Promise((done) => setTimeout(done, 2))
    this.#isReady = true
  }

  /** `null` until the SDK has read its storage. */
  get currentUser() {
    const { session } = this.cache
    if (!session || !this.#isReady) return null
    const { id, name } = session.user
    return {
      uid: id,
      displayName: name,
      getIdToken: (isForced = false) => this.token(isForced),
      reload: async () =>
        void Object.assign(
          session.user,
          this.cloud.users.find((each) => each.id === id),
        ),
    }
  }

  onIdTokenChanged(run: () => void): () => void {
    queueMicrotask(run) // once at the start, too
    return this.listen(run)
  }

  signOut = () => this.logOut()
}

export class InteractionRequiredAuthError extends Error {}

export class PublicClientApplication extends Sdk {
  #callbacks = new Map<string, { run: (event: { eventType: string }) => void; stop: () => void }>()

  /** Its own work is told in its own tab only. */
  #tellHere(eventType: string): void {
    this.#callbacks.forEach(({ run }) => run({ eventType }))
  }

  getActiveAccount() {
    const { session } = this.cache
    return session && { localAccountId: session.user.id, name: session.user.name }
  }

  async acquireTokenSilent({ forceRefresh = false }: { scopes: string[]; account: object; forceRefresh?: boolean }) {
    this.#tellHere('msal:acquireTokenStart') // its events tell of its own work, too
    try {
      const accessToken = await this.token(forceRefresh)
      return { accessToken, expiresOn: new Date(this.cloud.now() + 3_600_000), account: this.getActiveAccount() }
    } catch (error) {
      throw this.cloud.isRevoked ? new InteractionRequiredAuthError('interaction_required') : error
    } finally {
      this.#tellHere('msal:acquireTokenSuccess')
    }
  }

  addEventCallback(run: (event: { eventType: string }) => void): string {
    const id = String(this.#callbacks.size)
    this.#callbacks.set(id, { run, stop: this.listen(run) })
    return id
  }

  removeEventCallback(id: string): void {
    this.#callbacks.get(id)?.stop()
    this.#callbacks.delete(id)
  }

  logoutPopup = () => this.logOut()
}

export class Amplify extends Sdk {
  async fetchAuthSession({ forceRefresh = false } = {}) {
    if (!this.cache.session) return {}
    try {
      const token = await this.token(forceRefresh)
      return { tokens: { accessToken: { payload: {}, toString: () => token } } }
    } catch (error) {
      if (this.cloud.isRevoked) return {} // Amplify clears its tokens, and has none
      throw error
    }
  }

  Hub = {
    listen: (_channel: 'auth', run: (event: object) => void): (() => void) => this.listen(run),
  }

  signOut = () => this.logOut()
}

export class Auth0Client extends Sdk {
  async isAuthenticated(): Promise<boolean> {
    return this.cache.session !== null
  }

  async getUser() {
    return this.cache.session ? { sub: this.cache.session.user.id, name: this.cache.session.user.name } : undefined
  }

  async getTokenSilently({ cacheMode = 'on' } = {}): Promise<string> {
    if (!this.cache.session) throw Object.assign(new Error('Login required'), { error: 'login_required' })
    return this.token(cacheMode === 'off')
  }

  logout = () => this.logOut()
}
