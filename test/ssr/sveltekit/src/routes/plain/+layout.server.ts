import { plainSession } from '$lib/plain'

// What every page is rendered with.
export function load() {
  const session = plainSession()
  session.dispose()
  return { serverState: session.current }
}
