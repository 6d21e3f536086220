// Reads the challenge of a response (RFC 9110 §11.6.1), as far as the browser lets scripts see that header.

// Longer than any real challenge: what lies behind is not read.
const MAX_HEADER_LENGTH = 65_536
const STEP_UP = 'insufficient_user_authentication'

/** The parameters of the first Bearer or DPoP challenge; `undefined` where there is none. */
export function challengeOf(response: Response): Record<string, string> | undefined {
  const header = response.headers.get('www-authenticate')?.slice(0, MAX_HEADER_LENGTH)
  const start = header?.search(/(?:^|,)\s*(bearer|dpop)\b/i) ?? -1
  if (!header || start < 0) return undefined
  const found: Record<string, string> = Object.create(null)
  // A word without a value counts as a match, too: to look for its value again and again would take quadratic time.
  const parameters = /([\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+)))?/g
  for (const [, name, quoted, plain] of header.slice(start).matchAll(parameters)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain
    if (value !== undefined) found[name!.toLowerCase()] ??= value
  }
  return found
}

/** Whether a 401 asks more of the user (RFC 9470 §3): no refresh cures that. */
export function asksForStepUp({ status, headers }: Response): boolean {
  return status === 401 && /\berror="?insufficient_user_authentication/.test(headers.get('www-authenticate') ?? '')
}

/** What such a 401 asks for: `acr_values` and `max_age` (RFC 9470 §3). */
export function stepUpOf(response: Response): { type: string; acr_values?: string; max_age?: string } | null {
  if (!asksForStepUp(response)) return null
  const { acr_values, max_age } = challengeOf(response) ?? {}
  return { type: STEP_UP, ...(acr_values !== undefined && { acr_values }), ...(max_age !== undefined && { max_age }) }
}
