// A URL, where a text is one. Pure.

/** `null`: it is none. Not `URL.canParse`, which browsers have only since 2023. */
export function parseUrl(url: string | URL, base?: string): URL | null {
  try {
    return new URL(url, base)
  } catch {
    return null
  }
}
