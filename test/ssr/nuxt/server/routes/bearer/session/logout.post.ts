export default defineEventHandler(async (event) => {
  const refreshToken = getCookie(event, 'refresh_token')
  const answer = refreshToken ? await post('/auth/logout', { refreshToken }) : null
  if (answer && answer.status >= 500) return setResponseStatus(event, 502)
  deleteCookie(event, 'access_token', { path: '/' })
  deleteCookie(event, 'refresh_token', { path: '/' })
  setResponseStatus(event, 204)
})
