// Requests that wait for the user. So many at most: whoever does not answer must not keep all of them in memory.

const MAX_PARKED = 1000

/** Parks a request until its signal is aborted: it is over. Answers `false` where too many are parked already. */
export type Park = (signal: AbortSignal) => boolean

export function createParking(): Park {
  let parked = 0
  return (signal) => {
    if (parked >= MAX_PARKED) return false
    parked++
    signal.addEventListener('abort', () => parked--)
    return true
  }
}
