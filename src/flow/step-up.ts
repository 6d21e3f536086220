// A response that asks more of the user than being signed in.

import type { Challenge } from '../errors.ts'

/** RFC 9470 §3: what the challenge says is in `acr_values` and `max_age`. */
export function byChallenge({ status, headers }: Response): Challenge | null {
  const header = status === 401 ? (headers.get('www-authenticate') ?? '') : ''
  if (!/\berror="?insufficient_user_authentication/.test(header)) return null
  const says = Array.from(header.matchAll(/(acr_values|max_age)="?([^",]*)/g), ([, name, value]) => [name, value])
  return { type: 'insufficient_user_authentication', ...Object.fromEntries(says) }
}
