import { currentUser } from '$lib/server/api'

export const load = async ({ cookies }) => ({ user: await currentUser(cookies) })
