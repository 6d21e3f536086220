// Sends a request once: attaches the credentials of now, and hands it to the real fetch.

import type { Context } from '../context.ts'
import type { Attached, Fetch, IsExpired } from '../seam/io.ts'
import type { Guard } from './hooks.ts'
import { whenAnswered } from './traced.ts'
import type { Trip } from './trip.ts'

type Around = NonNullable<IsExpired['around']>

/** No promise is awaited before the real fetch is called, unless the backend's `attach` returns one. */
export type Send<U, C> = (trip: Trip<U, C>) => Promise<Response>

export function createSend<U, C>(
  { runtime, backend, settings, store, events, reentrance }: Context<U, C>,
  guard: Guard,
): Send<U, C> {
  const { around: given } = settings.isExpired
  const around = given && ((transport: typeof fetch, real: typeof fetch) => wrap(transport, real, given, guard))

  function transmit(trip: Trip<U, C>, attached: Attached, own: string | null): Promise<Response> {
    const { request } = trip
    if (own) request.headers.set('authorization', own)
    const response = request.send(runtime.fetch, attached, around)
    if (events.isHeard('trace')) traceSend(trip, response)
    return response
  }

  function traceSend(trip: Trip<U, C>, response: Promise<Response>): void {
    const { id, sends, request, hasOwnAuthorization } = trip
    const { method, place: url } = request
    const { tokenNumber: token } = store
    events.trace(sends > 1 ? 'replay' : 'send', { id, method, url, token, hasOwnAuthorization })
    whenAnswered(response, (answered) => events.trace('response', { id, ...answered }))
  }

  return (trip) => {
    const { request } = trip
    const headers = trip.sends ? request.resetHeaders() : request.headers
    // Credentials that the caller brought are left alone.
    const own = trip.hasOwnAuthorization ? headers.get('authorization') : null
    trip.sends++
    trip.sentWith = store.view.version
    const hasWaited = trip.hasWaited || trip.sends > 1
    if (hasWaited) trip.sentAt = runtime.clock.mono()
    // Without what it attaches: the server has the word.
    const attaching = guard('attach', () =>
      reentrance.attach(() => backend.attach(headers, store.credentials, request)),
    )
    if (attaching instanceof Promise) return attaching.then((attached) => transmit(trip, attached, own))
    return transmit(trip, attaching, own)
  }
}

/** A wrapper of the app that throws harms no answer: it counts as if it was not there. */
function wrap(transport: typeof fetch, real: typeof fetch, around: Around, guard: Guard): Fetch {
  let sending: Promise<Response> | undefined
  const noted: typeof fetch = (...args) => (sending = transport(...args))

  return async (...args) => {
    try {
      return await around(noted, real)(...args)
    } catch (cause) {
      const hasFailed = !!sending && (await sending.then(isNever, isAlways))
      if (hasFailed) throw cause
      void guard('isExpired.around', () => {
        throw cause
      })
      return await (sending ?? transport(...args))
    }
  }
}

const isNever = (): boolean => false
const isAlways = (): boolean => true
