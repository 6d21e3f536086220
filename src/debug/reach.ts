// Which servers can be reached. A missing CORS header and a server that is down look the same to a script.

/** @param key Of the mistake: the same one is not told twice. */
export type Warn = (key: string, sentence: string) => void

interface Asked {
  readonly method: string
  readonly url: string
  readonly at: number
  /** 0: there was no answer. */
  readonly status: number
  readonly error?: string
}

export interface Reach {
  /** A request of the app, and its answer. */
  look(asked: Asked): void
  /** A request that the session made for itself. */
  lookAtOwn(asked: Asked): void
}

// A failure at another origin counts if the page's own origin has answered at most this long before or after: the network is there.
const SAME_MOMENT_MS = 10_000

export const originOf = (url: string): string => new URL(url).origin

const corsCure = (origin: string, page: string): string =>
  `${origin} has to answer OPTIONS as well, with Access-Control-Allow-Origin: ${page} (with cookies, the value * is not allowed), Access-Control-Allow-Headers: authorization, content-type, and, where cookies are used, Access-Control-Allow-Credentials: true.`

/** @param page The origin of the page, where there is one. */
export function createReach(
  page: string | undefined,
  isOffline: () => boolean,
  nameOf: (asked: Asked) => string,
  warn: Warn,
): Reach {
  /** Origins that have answered: a later failure there is no missing header. */
  const reached = new Set<string>()
  let pageAnsweredAt = -Infinity
  let failed: { name: string; origin: string; at: number } | null = null

  const hasFailed = ({ url, error }: Asked): boolean => error === 'TypeError' && originOf(url) !== page

  /** Another origin that can't be reached, while the page's own can: the browser has kept the answer from the script. */
  function look(asked: Asked): void {
    if (!page) return
    const { url, status, at } = asked
    const origin = originOf(url)
    if (status > 0) reached.add(origin)
    if (status > 0 && origin === page) pageAnsweredAt = at
    if (hasFailed(asked)) failed = { name: nameOf(asked), origin, at }
    if (!failed || Math.abs(pageAnsweredAt - failed.at) > SAME_MOMENT_MS) return
    warn(
      `cors ${failed.origin}`,
      `${failed.name} got no answer, while requests to ${page} get one: very likely ${failed.origin} sends no CORS headers. ${corsCure(failed.origin, page)}`,
    )
    failed = null
  }

  /** The session's own request. Whether the server is down, no script can tell; whether the device is offline, it can. */
  function lookAtOwn(asked: Asked): void {
    look(asked)
    const origin = originOf(asked.url)
    if (!page || !hasFailed(asked) || reached.has(origin) || isOffline()) return
    warn(
      `cors? ${origin}`,
      `${nameOf(asked)} got no answer. If that server is up, its CORS headers are missing: to a script, both look the same. ${corsCure(origin, page)}`,
    )
  }

  return { look, lookAtOwn }
}
