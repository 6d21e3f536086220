'use client'

import { useProvidedSession, useSession } from 'resesh/react'

export function SignIn() {
  const { signIn } = useProvidedSession()
  const status = useSession(({ status }) => status)

  const logIn = (form: FormData) =>
    signIn(({ fetch }) =>
      fetch('/bearer/session/login', { method: 'POST', body: JSON.stringify(Object.fromEntries(form)) }),
    )

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
