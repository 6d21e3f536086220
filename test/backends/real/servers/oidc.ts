// oidc-provider for a page that is a public client, and an API that takes its tokens.

import type { IncomingMessage } from 'node:http'
import { serve } from '../support/child.ts'
import { REDIRECT } from '../support/authorize.ts'
import { createOidc } from '../support/oidc.ts'

export type Controls = ReturnType<typeof create>['controls']

export interface Options {
  /** False: of a refresh token that comes a second time only that call is refused. @default true */
  punishes?: boolean
}

/** The page is at another origin, under another name of this machine. */
const pageOf = (origin: string): string => origin.replace('127.0.0.1', 'localhost')

const create = (origin: string, { punishes = true }: Options) => ({
  ...createOidc(origin, {
    redirectUris: [REDIRECT, `${pageOf(origin)}/callback`],
    postLogoutUris: [`${pageOf(origin)}/bye`],
    punishes,
  }),
  // The exchange of a code goes to the same path, and says so in its query.
  renews: ({ url }: IncomingMessage) => url === '/token',
})

await serve(create)
