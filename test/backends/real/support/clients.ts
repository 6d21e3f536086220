// The clients that people wire to `session.fetch`, and a real HTTP server that speaks to each of them.

import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { createTRPCClient, httpBatchLink, httpLink } from '@trpc/client'
import { initTRPC, TRPCError } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { Client, fetchExchange } from '@urql/core'
import { create as createAxios } from 'axios'
import { buildSchema, graphql as execute } from 'graphql'
import ky2 from 'ky'
import ky1 from 'ky-1'
import createClient from 'openapi-fetch'
import { createSession, type Session } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { anyOf, graphql, status } from 'resesh/expired'
import { createKy } from 'resesh/ky'
import { onTestFinished } from 'vitest'
import { listen } from '../../../servers/sample/node.ts'
import { createSampleServer, type SampleServer } from '../../../servers/sample/server.ts'
import { login } from '../../../support/session.ts'

/** What a client is asked to do in each test, in its own way. */
export interface Wired {
  /** @returns the item's number. */
  read(item: number): Promise<number>
  /** @returns how often the server has accepted this order. */
  order(id: string): Promise<number>
}

const schema = buildSchema('type Query { item(item: Int!): Int! } type Mutation { order(id: ID!): Int! }')

const t = initTRPC.context<{ isKnown: boolean; order(id: string): number }>().create()
const known = t.procedure.use(({ ctx, next }) => {
  if (!ctx.isKnown) throw new TRPCError({ code: 'UNAUTHORIZED' })
  return next()
})
const text = (value: unknown) => String(value)
const router = t.router({
  item: known.input(Number).query(({ input }) => input),
  order: known.input(text).mutation(({ ctx, input }) => ctx.order(input)),
})

/** The sample server, and beside it the same API as GraphQL, which answers 200 whatever happens, and as tRPC. */
export const serve = async () => {
  const sample = createSampleServer()
  const orders = new Map<string, number>()
  const order = (id: string) => {
    orders.set(id, (orders.get(id) ?? 0) + 1)
    return orders.get(id)!
  }
  const handle = async (request: Request): ReturnType<SampleServer['handle']> => {
    const { pathname, origin } = new URL(request.url)
    if (!/^\/(graphql|trpc)/.test(pathname)) return sample.handle(request)
    const { headers } = request
    const isKnown = ((await sample.handle(new Request(`${origin}/api/me`, { headers }))) as Response).ok
    if (pathname !== '/graphql')
      return fetchRequestHandler({ endpoint: '/trpc', req: request, router, createContext: () => ({ isKnown, order }) })
    const { query, variables } = await request.json()
    const rootValue = { item: ({ item }: { item: number }) => item, order: ({ id }: { id: string }) => order(id) }
    return Response.json(
      isKnown
        ? await execute({ schema, source: query, variableValues: variables, rootValue })
        : { errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }], data: null },
    )
  }
  const { origin, close } = await listen({ handle } as SampleServer)
  const session = createSession({
    backend: bearer({ refreshUrl: `${origin}/auth/refresh` }),
    initial: await login(sample),
    refreshAhead: 'never',
    isExpired: anyOf(status(401), graphql()),
  })
  onTestFinished(async () => {
    session.dispose()
    await close()
  })
  return { sample, session, origin }
}

interface Paths {
  '/api/items/{item}': {
    get: {
      parameters: { path: { item: number } }
      responses: { 200: { content: { 'application/json': { item: number } } } }
    }
  }
  '/api/orders': {
    post: {
      requestBody: { content: { 'application/json': { id: string } } }
      responses: { 201: { content: { 'application/json': { accepted: number } } } }
    }
  }
}

const overKy = (api: ReturnType<typeof createKy>, origin: string): Wired => ({
  read: async (item) => (await api.get(`${origin}/api/items/${item}`).json<{ item: number }>()).item,
  order: async (id) => (await api.post(`${origin}/api/orders`, { json: { id } }).json<{ accepted: number }>()).accepted,
})

const overTrpc = (link: typeof httpLink | typeof httpBatchLink, session: Session, origin: string): Wired => {
  // Its type of fetch takes not even the real one under exactOptionalPropertyTypes.
  const fetch = session.fetch as NonNullable<Parameters<typeof httpLink>[0]['fetch']>
  const api = createTRPCClient<typeof router>({ links: [link({ url: `${origin}/trpc`, fetch })] })
  return { read: (item) => api.item.query(item), order: (id) => api.order.mutate(id) }
}

const ITEM = gql`
  query ($item: Int!) {
    item(item: $item)
  }
`
const ORDER = gql`
  mutation ($id: ID!) {
    order(id: $id)
  }
`

export const clients: Record<string, (session: Session, origin: string) => Wired> = {
  'axios, fetch adapter': ({ fetch }, baseURL) => {
    const api = createAxios({ baseURL, adapter: 'fetch', env: { fetch } })
    return {
      read: async (item) => (await api.get<{ item: number }>(`/api/items/${item}`)).data.item,
      order: async (id) => (await api.post<{ accepted: number }>('/api/orders', { id })).data.accepted,
    }
  },
  'ky 1': ({ fetch }, origin) => overKy(ky1.create({ fetch, retry: 0 }) as unknown as typeof ky2, origin),
  'ky 2': (session, origin) => overKy(createKy(session, { retry: 0 }), origin),
  'openapi-fetch': ({ fetch }, baseUrl) => {
    const api = createClient<Paths>({ baseUrl, fetch })
    const given = <T>({ data, response }: { data?: T; response: Response }): T => {
      if (!data) throw new Error(`${response.status}`)
      return data
    }
    return {
      read: async (item) => given(await api.GET('/api/items/{item}', { params: { path: { item } } })).item,
      order: async (id) => given(await api.POST('/api/orders', { body: { id } })).accepted,
    }
  },
  'Apollo Client': ({ fetch }, origin) => {
    const api = new ApolloClient({
      link: new HttpLink({ uri: `${origin}/graphql`, fetch }),
      cache: new InMemoryCache(),
    })
    return {
      read: async (item) => (await api.query<{ item: number }>({ query: ITEM, variables: { item } })).data!.item,
      order: async (id) => (await api.mutate<{ order: number }>({ mutation: ORDER, variables: { id } })).data!.order,
    }
  },
  urql: ({ fetch }, origin) => {
    const api = new Client({ url: `${origin}/graphql`, exchanges: [fetchExchange], fetch, preferGetMethod: false })
    const given = <T>({ data, error }: { data?: T; error?: Error | undefined }): T => {
      if (error) throw error
      return data!
    }
    return {
      read: async (item) => given(await api.query<{ item: number }>(ITEM, { item }).toPromise()).item,
      order: async (id) => given(await api.mutation<{ order: number }>(ORDER, { id }).toPromise()).order,
    }
  },
  tRPC: (session, origin) => overTrpc(httpLink, session, origin),
  'tRPC, batched': (session, origin) => overTrpc(httpBatchLink, session, origin),
}
