import { keepTokens, post } from '$lib/server/tokens'

export const POST = async ({ cookies, request }) => keepTokens(await post('/auth/login', await request.json()), cookies)
