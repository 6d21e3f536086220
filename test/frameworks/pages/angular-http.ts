// Angular's HttpClient with the interceptor, over XMLHttpRequest or over fetch.

import {
  HttpClient,
  HttpErrorResponse,
  HttpEventType,
  provideHttpClient,
  withFetch,
  withInterceptors,
} from '@angular/common/http'
import { Component, provideZonelessChangeDetection } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { createSession, defineBackend, type Session } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { graphql } from 'resesh/expired'
import { sessionInterceptor } from 'resesh/angular-http'
import { lastValueFrom, toArray } from 'rxjs'

const { searchParams } = new URL(location.href)

const session: Session = createSession({
  backend: searchParams.has('own-header')
    ? defineBackend({
        attach(headers, held) {
          headers.set('x-token', held?.accessToken ?? '')
          return { redirect: 'error' }
        },
        refresh: async () => null,
      })
    : bearer({ refreshUrl: '/auth/refresh', userUrl: '/auth/user' }),
  refreshAhead: 'never',
  ...(searchParams.has('graphql') && { isExpired: graphql() }),
})

@Component({ selector: '#app', template: '{{ text }}' })
class App {
  readonly text = 'ready'
}

/** The outcome of a request: the answer, or the error by its name. */
const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: Error) => [error.name, error instanceof HttpErrorResponse ? error.status : error.message])

const start = async () => {
  const over = searchParams.has('fetch') ? [withFetch()] : []
  const { injector } = await bootstrapApplication(App, {
    providers: [
      provideZonelessChangeDetection(),
      provideHttpClient(...over, withInterceptors([sessionInterceptor(session)])),
    ],
  })
  const http = injector.get(HttpClient)
  return {
    session,
    get: (url: string) => outcome(lastValueFrom(http.get(url))),
    getText: (url: string) => outcome(lastValueFrom(http.get(url, { responseType: 'text' }))),
    post: (url: string, body: unknown) =>
      outcome(lastValueFrom(http.post<Record<string, string>>(url, body, { headers: { 'x-mine': 'kept' } }))),
    events: async (url: string, body: unknown) => {
      const events = await lastValueFrom(
        http.post(url, body, { reportProgress: true, observe: 'events' }).pipe(toArray()),
      )
      return [...new Set(events.map(({ type }) => HttpEventType[type]))]
    },
    cancel: async (url: string) => {
      const subscription = http.get(url).subscribe()
      await new Promise((done) => setTimeout(done, 50))
      subscription.unsubscribe()
    },
    signIn: () =>
      session.signIn(async ({ fetch }) => {
        const headers = { 'content-type': 'application/json' }
        const body = JSON.stringify({ username: 'ann', password: 'secret' })
        return (await fetch('/auth/login', { method: 'POST', headers, body })).json()
      }),
  }
}
export type HttpPage = Awaited<ReturnType<typeof start>>
void start().then((page) => Object.assign(globalThis, { page }))
