// What is asked of a URL in more than one room. Pure.

/** `null`: it is none. Not `URL.canParse`, which browsers have only since 2023. */
export function parseUrl(url: string | URL, base?: string): URL | null {
  try {
    return new URL(url, base)
  } catch {
    return null
  }
}

/** A URL as messages show it, and as endpoints are compared: the query may hold a secret. */
export const withoutQuery = (url: string): string => url.replace(/[?#].*/, '')
