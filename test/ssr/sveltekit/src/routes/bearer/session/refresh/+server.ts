import { keepTokens, post } from '$lib/server/tokens'

export async function POST({ cookies }) {
  const refreshToken = cookies.get('refresh_token')
  if (!refreshToken) return new Response(null, { status: 401 })
  return keepTokens(await post('/auth/refresh', { refreshToken }), cookies)
}
