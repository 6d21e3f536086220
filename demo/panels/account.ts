// Signing in and out.

import { $ } from '../dom.ts'
import type { Profile } from '../../test/servers/sample/profile.ts'
import type { DemoSession } from '../session.ts'
import type { DevtoolsElement } from 'resesh/devtools'

interface SignedIn {
  accessToken: string
  refreshToken: string
  expiresIn: number
  user: Profile
}

export const showAccount = (session: DemoSession, timeline: DevtoolsElement): void => {
  const form = $<HTMLFormElement>('#sign-in')
  const account = $('#signed-in')
  const wrong = $('.wrong', form)

  session.subscribe(({ status, user }) => {
    form.hidden = status !== 'unauthenticated'
    account.hidden = status !== 'authenticated'
    $('.who', account).textContent = user?.name ?? ''
    document.body.dataset['status'] = status
  })

  const signIn = () =>
    session.signIn(async ({ fetch }) => {
      const response = await fetch('/auth/login', {
        method: 'POST',
        body: JSON.stringify(Object.fromEntries(new FormData(form))),
      })
      if (!response.ok)
        throw new Error(
          response.status === 401 ? 'Wrong password. Try “secret”.' : `The server said ${response.status}.`,
        )
      const { expiresIn, ...rest }: SignedIn = await response.json()
      return { ...rest, expiresInSeconds: expiresIn }
    })

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    timeline.begin('Sign in')
    wrong.textContent = ''
    signIn().catch((error: unknown) => {
      wrong.textContent = error instanceof Error ? error.message : String(error)
    })
  })
  $('button', account).addEventListener('click', () => {
    timeline.begin('Sign out')
    void session.signOut()
  })
}
