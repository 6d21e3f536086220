import { post } from '$lib/server/tokens'

export async function POST({ cookies }) {
  const refreshToken = cookies.get('refresh_token')
  const answer = refreshToken ? await post('/auth/logout', { refreshToken }) : null
  if (answer && answer.status >= 500) return new Response(null, { status: 502 })
  cookies.delete('access_token', { path: '/' })
  cookies.delete('refresh_token', { path: '/' })
  return new Response(null, { status: 204 })
}
