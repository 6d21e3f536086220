import { cookies } from 'next/headers'
import { keepTokens, post } from '../../tokens'

export async function POST() {
  const refreshToken = (await cookies()).get('refresh_token')?.value
  if (!refreshToken) return new Response(null, { status: 401 })
  return keepTokens(await post('/auth/refresh', { refreshToken }))
}
