import { askApi } from '$lib/server/api'
import type { User } from '$lib/session'

export async function load({ cookies, url }) {
  const ms = Number(url.searchParams.get('ms') ?? 0)
  async function part(nth: number): Promise<User | null> {
    const response = await askApi(`/api/me?ms=${nth * ms}`, cookies)
    return response.ok ? response.json() : null
  }
  return { parts: [await part(1), part(2), part(3)] }
}
