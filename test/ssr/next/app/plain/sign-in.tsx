'use client'

import { session } from './session'

const signIn = (username: string) =>
  session.signIn(({ fetch }) => {
    const headers = { 'content-type': 'application/json' }
    return fetch('/auth/login', { method: 'POST', headers, body: JSON.stringify({ username, password: 'secret' }) })
  })

export const SignIn = () => <button onClick={() => void signIn('ann')}>Sign in</button>
