import { askApi } from '$lib/server/tokens'
import type { User } from '$lib/session'

export function load({ cookies, url }) {
  const ms = Number(url.searchParams.get('ms') ?? 0)
  const part = async (nth: number): Promise<User | null> =>
    (await askApi<User>(`/api/me?ms=${nth * ms}`, cookies.get('access_token'))) ?? null
  return part(1).then((first) => ({ parts: [first, part(2), part(3)] }))
}
