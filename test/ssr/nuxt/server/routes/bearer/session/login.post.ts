export default defineEventHandler(async (event) => keepTokens(await post('/auth/login', await readBody(event)), event))
