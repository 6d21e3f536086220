// What the tests use of them: they come without types of their own.

declare module 'express' {
  import type { RequestListener } from 'node:http'

  interface Request {
    body: any
    params: Record<string, string>
    headers: Record<string, string | undefined>
  }
  interface Response {
    status(code: number): Response
    json(value: unknown): void
    end(): void
  }
  type Handler = (request: Request, response: Response, next: () => void) => void
  type Route = (path: string, ...handlers: Handler[]) => void
  type App = RequestListener & { use(handler: Handler): void; get: Route; post: Route }

  const express: { (): App; json(): Handler }
  export type { Handler }
  export default express
}

declare module 'jsonwebtoken' {
  const jwt: {
    sign(claims: object, secret: string, options: object): string
    verify(token: string, secret: string): unknown
  }
  export default jwt
}
