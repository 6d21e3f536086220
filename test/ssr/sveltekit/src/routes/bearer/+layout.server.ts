import { knownCredentials } from '$lib/server/tokens'

export const load = async ({ cookies }) => ({ initial: await knownCredentials(cookies) })
