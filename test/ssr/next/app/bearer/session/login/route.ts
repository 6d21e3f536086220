import { keepTokens, post } from '../../tokens'

export const POST = async (request: Request) => keepTokens(await post('/auth/login', await request.json()))
