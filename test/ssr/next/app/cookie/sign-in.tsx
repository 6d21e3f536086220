'use client'

import { useProvidedSession, useSession } from 'resesh/react'

export function SignIn() {
  const { signIn } = useProvidedSession()
  const status = useSession(({ status }) => status)

  const logIn = (form: FormData) =>
    signIn(async ({ fetch }) => {
      const headers = { 'content-type': 'application/json', 'x-bff': '1' }
      const body = JSON.stringify(Object.fromEntries(form))
      const { ok } = await fetch('/bff/login', { method: 'POST', headers, body })
      if (!ok) throw new Error('Wrong password')
    })

  return (
    status === 'unauthenticated' && (
      <form action={async (form) => void (await logIn(form))}>
        <input name="username" placeholder="Name" />
        <input name="password" placeholder="Password" type="password" />
        <button>Sign in</button>
      </form>
    )
  )
}
