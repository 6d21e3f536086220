// The file for a script tag: everything that needs no package of its own, under one global name.

export * from './index.ts'
export * from './expired.ts'
export { installXhr } from './xhr.ts'
export { bearer } from './backends/bearer.ts'
export { cookie } from './backends/cookie.ts'
export { fromTokenResponse, oauth2 } from './backends/oauth2.ts'
export { fromAuthenticateResponse, workos, workosRoute } from './backends/workos.ts'
export { clerk } from './backends/clerk.ts'
export { betterAuth } from './backends/better-auth.ts'
export { authjs } from './backends/authjs.ts'
export { roq } from './backends/roq.ts'
export { supertokens, supertokensLegacy } from './backends/supertokens.ts'
