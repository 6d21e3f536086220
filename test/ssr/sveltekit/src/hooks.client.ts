import { plainSession } from '$lib/plain'

if (location.pathname.startsWith('/plain')) plainSession()
