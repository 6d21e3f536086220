// What a newcomer builds: Express 5 and jsonwebtoken, a login with JSON, access tokens that live for seconds, and refresh tokens
// that are used once. A refresh token used twice ends its session.

import { randomUUID } from 'node:crypto'
import express, { type Handler } from 'express'
import jwt from 'jsonwebtoken'
import { serve } from '../support/child.ts'

export type Controls = ReturnType<typeof create>['controls']

export interface Options {
  lifeSeconds?: number
}

function create(_origin: string, { lifeSeconds = 15 }: Options) {
  const secret = randomUUID()
  const sessions = new Map<string, { refreshToken: string }>()
  let name = 'Ann'
  let [reused, isAway] = [0, false]

  const issue = (id: string) => {
    const refreshToken = `${id}.${randomUUID()}`
    sessions.set(id, { refreshToken })
    const accessToken = jwt.sign({ name }, secret, { subject: 'ann', expiresIn: lifeSeconds, jwtid: randomUUID() })
    return { accessToken, refreshToken, expiresIn: lifeSeconds }
  }

  const app = express()
  app.use((_request, response, next) => (isAway ? response.status(503).end() : next()))
  app.use(express.json())
  app.post('/auth/login', (request, response) => {
    if (request.body.password !== 'secret') return response.status(401).json({ message: 'Wrong password' })
    response.json({ ...issue(randomUUID()), user: { id: 'ann', name } })
  })
  app.post('/auth/refresh', (request, response) => {
    const { refreshToken = '' } = request.body
    const id = String(refreshToken).split('.')[0]!
    const held = sessions.get(id)
    if (!held) return response.status(401).json({ message: 'Unknown refresh token' })
    if (held.refreshToken !== refreshToken) {
      reused++
      sessions.delete(id)
      return response.status(401).json({ error: 'reuse' })
    }
    response.json(issue(id))
  })
  app.post('/auth/logout', (request, response) => {
    sessions.delete(String(request.body.refreshToken).split('.')[0]!)
    response.status(204).end()
  })
  const guard: Handler = (request, response, next) => {
    try {
      jwt.verify(request.headers.authorization?.slice(7) ?? '', secret)
      next()
    } catch {
      response.status(401).json({ message: 'jwt expired' })
    }
  }
  app.get('/auth/user', guard, (_request, response) => response.json({ id: 'ann', name }))
  app.get('/api/items/:id', guard, (request, response) => response.json({ item: Number(request.params.id) }))

  return {
    listen: app,
    renews: ({ url }: { url?: string | undefined }) => url === '/auth/refresh',
    controls: {
      revoke: () => sessions.clear(),
      rename: (next: string) => void (name = next),
      away: (so: boolean) => void (isAway = so),
      living: () => sessions.size,
      reused: () => reused,
      reset() {
        sessions.clear()
        ;[name, reused, isAway] = ['Ann', 0, false]
      },
    },
  }
}

await serve(create)
