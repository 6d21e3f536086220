'use client'

import { useEffect, useState } from 'react'
import { useProvidedSession } from 'resesh/react'

/** Sends ten requests at once, and shows how many were answered with 200. */
export function TenRequests() {
  const session = useProvidedSession()
  const [text, setText] = useState('')
  useEffect(() => void Object.assign(globalThis, { isHydrated: true }), [])
  async function send() {
    const responses = await Promise.all(Array.from({ length: 10 }, (_, id) => session.fetch(`/api/items/${id}`)))
    setText(`${responses.filter(({ ok }) => ok).length} of 10`)
  }
  return <button onClick={() => void send()}>Ten requests {text}</button>
}
