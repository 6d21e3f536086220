// What the tests use of it: it comes without types of its own.

declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  interface Token {
    accountId: string
    /** The resources it is for. */
    aud?: string | string[]
  }

  interface Grant {
    addOIDCScope(scope: string): void
    addResourceScope(resource: string, scope: string): void
    save(): Promise<string>
  }

  interface Interaction {
    prompt: { name: string }
    params: Record<string, string>
    session?: { accountId: string }
  }

  export class Provider {
    constructor(issuer: string, configuration: object)
    proxy: boolean
    readonly AccessToken: { find(token: string): Promise<Token | undefined> }
    readonly Grant: new (of: { accountId: string; clientId: string }) => Grant
    callback(): (request: IncomingMessage, response: ServerResponse) => void
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>
    on(event: 'grant.error', listener: (context: unknown, error: { error_detail?: string }) => void): this
    on(event: 'server_error', listener: (context: unknown, error: Error) => void): this
  }

  export const errors: { InvalidTarget: new () => Error }
}
