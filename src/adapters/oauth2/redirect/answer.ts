// The answer of an authorization server, as it stands in the page's URL (RFC 6749 §4.1.2).

/** The answer in this URL; `null`: the page was not opened by a redirect of the server. */
export function answerIn(href: string, redirectUri: string): URLSearchParams | null {
  const here = new URL(href)
  const there = new URL(redirectUri)
  const { searchParams } = here
  const isThere = here.origin === there.origin && withoutSlash(here.pathname) === withoutSlash(there.pathname)
  // Without a state it is no answer to anything that was asked here: `code` and `error` may be the app's own.
  const isAnswer = searchParams.has('state') && (searchParams.has('code') || searchParams.has('error'))
  return isThere && isAnswer ? searchParams : null
}

const withoutSlash = (path: string): string => path.replace(/\/$/, '')
