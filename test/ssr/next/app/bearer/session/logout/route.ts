import { cookies } from 'next/headers'
import { post } from '../../tokens'

export async function POST() {
  const jar = await cookies()
  const refreshToken = jar.get('refresh_token')?.value
  const answer = refreshToken ? await post('/auth/logout', { refreshToken }) : null
  if (answer && answer.status >= 500) return new Response(null, { status: 502 })
  jar.delete('access_token')
  jar.delete('refresh_token')
  return new Response(null, { status: 204 })
}
