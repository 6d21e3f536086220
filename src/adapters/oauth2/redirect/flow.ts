// What a login has to remember while the page is away: in sessionStorage, each login under its own `state`, so that several may
// be under way. It is removed as it is used.

import { LoginError } from '../../../errors.ts'
import type { Globals } from '../../../runtime/globals.ts'

/** One login that has begun. */
export interface Flow {
  /** Which server and client it is of: two logins of one page don't take each other's answers. */
  readonly server: string
  /** RFC 7636 §4.1. */
  readonly verifier: string
  /** OpenID Connect Core §3.1.2.1; left out without an ID token. */
  readonly nonce?: string | undefined
  readonly redirectUri: string
  readonly returnTo: string
  readonly maxAgeSeconds?: number | undefined
  /** What a server asked for, where the login is a step-up. */
  readonly challenge?: string | undefined
  /** Wall time, epoch ms. */
  readonly startedAt: number
}

export interface Flows {
  /** @throws {@link LoginError} where nothing can be stored. */
  save(state: string, flow: Flow): void
  /** A login that has begun in this tab, and is not finished. */
  find(state: string): Flow | null
  remove(state: string): void
}

const PREFIX = 'resesh:login:'
// Who left a login page open for longer begins again.
const MAX_AGE_MS = 86_400_000

export function createFlows(get: Globals): Flows {
  /** Where cookies are blocked, reading the property throws. */
  function storage(): Storage | undefined {
    try {
      return get('sessionStorage')
    } catch {
      return undefined
    }
  }

  function find(state: string): Flow | null {
    try {
      const flow = JSON.parse(storage()?.getItem(PREFIX + state) ?? 'null') as Flow | null
      return flow && Math.abs(get('Date')!.now() - flow.startedAt) < MAX_AGE_MS ? flow : null
    } catch {
      return null
    }
  }

  const remove = (state: string): void => storage()?.removeItem(PREFIX + state)

  function removeOld(place: Storage): void {
    const keys = Array.from({ length: place.length }, (_, index) => place.key(index)!)
    const states = keys.filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length))
    for (const state of states) if (!find(state)) remove(state)
  }

  return {
    find,
    remove,
    save(state, flow) {
      try {
        const place = storage()!
        removeOld(place)
        place.setItem(PREFIX + state, JSON.stringify(flow))
      } catch (cause) {
        throw new LoginError('unavailable', 'this page can store nothing in sessionStorage', { cause })
      }
    },
  }
}
