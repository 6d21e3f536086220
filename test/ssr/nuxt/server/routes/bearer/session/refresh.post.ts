export default defineEventHandler(async (event) => {
  const refreshToken = getCookie(event, 'refresh_token')
  if (refreshToken) return keepTokens(await post('/auth/refresh', { refreshToken }), event)
  setResponseStatus(event, 401)
  return null
})
