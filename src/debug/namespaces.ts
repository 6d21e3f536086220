// Which lines are written, by the convention of the package `debug`: names with `*` in them, with commas or spaces between, and
// `-` in front of those that are left out.

import type { Globals } from '../runtime/globals.ts'

/** Whether what stands in `localStorage.debug` names this namespace. */
export function isEnabled(enabled: string | null | undefined, namespace: string): boolean {
  const patterns = (enabled ?? '').split(/[\s,]+/).filter(Boolean)
  const isNamed = (pattern: string): boolean => matches(pattern, namespace)
  const excluded = patterns.filter((each) => each.startsWith('-')).map((each) => each.slice(1))
  return !excluded.some(isNamed) && patterns.some(isNamed)
}

function matches(pattern: string, namespace: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$+?.()|[\]{}]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(namespace)
}

/** `null` where there is no storage, or the page may not look into it. */
export function readEnabled(get: Globals): string | null {
  try {
    return get('localStorage')?.getItem('debug') ?? null
  } catch {
    return null
  }
}
