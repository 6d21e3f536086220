// After a mutation: the route that changed what the token says asks for a new one, so that no code of the app has to.

import { InvalidOptionError } from '../errors.ts'
import { assertKnown, type Names } from '../known-options.ts'
import type { Extension } from '../seam/extension.ts'
import type { RequestView } from '../seam/io.ts'

export interface RefreshAfterRule {
  /** @default every method that is not safe (RFC 9110 §9.2.1) */
  method?: string
  /** The path of the URL: all of it, or the part before a `*` at its end. */
  path: string
  /** `reload` asks for the user too. Left out: what the response says in its header `refresh-session`. */
  action?: 'refresh' | 'reload'
  /** Whether the caller gets the response only once the change is published, or can't be for now. @default false */
  wait?: boolean
}

const NAMES: Names<RefreshAfterRule> = { method: true, path: true, action: true, wait: true }
const SAFE = /^(get|head|options|trace)$/i

/**
 * Starts a refresh after a response that says the edit is stored: by a rule, or by the server's own header
 * `refresh-session: refresh` or `reload`. Edits that come while a refresh runs share the next one.
 *
 * @example
 * createSession({ backend, use: [refreshAfter([{ method: 'PATCH', path: '/api/me', action: 'reload' }])] })
 *
 * @throws {@link InvalidOptionError} for a path that does not begin with `/`.
 */
export function refreshAfter(rules: readonly RefreshAfterRule[] = []): Extension {
  for (const rule of rules) {
    assertKnown('a rule of refreshAfter', rule, NAMES)
    if (!rule.path?.startsWith('/'))
      throw new InvalidOptionError('refreshAfter', `must have paths that begin with /, not ${rule.path}`)
  }

  return {
    name: 'refreshAfter',
    setup: (kernel) => ({
      served({ request, response: { ok, headers } }) {
        const rule = ok ? rules.find((each) => fits(each, request)) : undefined
        const asked = [rule?.action, headers.get('refresh-session')]
        const reload = asked.includes('reload')
        if (!reload && !asked.includes('refresh')) return undefined
        const done = kernel.refresh({ reload })
        return rule?.wait ? done : undefined
      },
    }),
  }
}

function fits({ method, path }: RefreshAfterRule, request: RequestView): boolean {
  const isMethod = method ? method.toUpperCase() === request.method.toUpperCase() : !SAFE.test(request.method)
  if (!isMethod) return false
  const { pathname } = new URL(request.url)
  return path.endsWith('*') ? pathname.startsWith(path.slice(0, -1)) : pathname === path
}
