// What an answer looks like that comes from something else than the backend's endpoint.

export const CHECK_URL =
  ' That looks like a wrong URL: check the path, its trailing slash, the method, and what the proxy or development server does with it.'

/** In a browser, a redirect that is not followed shows nothing but that. */
export const isRedirect = ({ type, status }: Response): boolean =>
  type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304)

const isPage = ({ ok, headers }: Response): boolean => ok && /^text\/html\b/i.test(headers.get('content-type') ?? '')

/** Whether an answer shows that the URL leads to something else. A server that is down may well send HTML: that is a 5xx. */
export const leadsElsewhere = (response: Response): boolean =>
  response.status === 404 || response.status === 405 || isRedirect(response) || isPage(response)
