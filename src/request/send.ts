// Sends a request once: attaches the credentials of now, and hands it to the real fetch.

import type { Context } from '../context.ts'
import type { Attached } from '../seam/io.ts'
import type { Trip } from './trip.ts'

/** No promise is awaited before the real fetch is called, unless the backend's `attach` returns one. */
export type Send<U, C> = (trip: Trip<U, C>) => Promise<Response>

export function createSend<U, C>({ runtime, backend, settings, store, events }: Context<U, C>): Send<U, C> {
  const { around } = settings.isExpired

  function transmit(trip: Trip<U, C>, attached: Attached, own: string | null): Promise<Response> {
    const { request } = trip
    if (own) request.headers.set('authorization', own)
    const response = request.send(runtime.fetch, attached, around)
    if (events.isHeard('trace')) trace(trip, response)
    return response
  }

  function trace({ id, sends, request }: Trip<U, C>, response: Promise<Response>): void {
    const { method, place } = request
    events.trace(sends > 1 ? 'replay' : 'send', { id, method, url: place })
    response.then(
      ({ status }) => events.trace('response', { id, status }),
      () => events.trace('response', { id, status: 0 }),
    )
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
    const attaching = backend.attach(headers, store.credentials, request)
    if (attaching instanceof Promise) return attaching.then((attached) => transmit(trip, attached, own))
    return transmit(trip, attaching, own)
  }
}
