// Which of SuperTokens' ways the page shows, and where the server for it is.

const asked = new URLSearchParams(location.search).get('mode')

export const mode = asked === 'cookie' || asked === 'legacy' ? asked : 'header'
export const server = `/vendors/supertokens-${mode}`
