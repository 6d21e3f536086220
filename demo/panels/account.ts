// Signing in and out.

import { SignInRefusedError } from 'resesh'
import { $ } from '../dom.ts'
import { chosen } from '../servers/choice.ts'
import { nameOf } from '../servers/server.ts'
import type { DemoSession } from '../session.ts'
import type { DevtoolsElement } from 'resesh/devtools'

const messageOf = (error: unknown): string => {
  if (error instanceof SignInRefusedError) return 'Wrong password. Try “secret”.'
  return error instanceof Error ? error.message : String(error)
}

/** Returns what signs in whom the form names; it rejects when that fails, and the form says why. */
export const showAccount = (session: DemoSession, timeline: DevtoolsElement): (() => Promise<void>) => {
  const form = $<HTMLFormElement>('#sign-in')
  const account = $('#signed-in')
  const wrong = $('.wrong', form)
  const password = $<HTMLInputElement>('[name=password]', form)

  password.disabled = chosen.takesAnyPassword === true
  password.closest('label')!.hidden = password.disabled
  session.subscribe((current) => {
    form.hidden = current.status !== 'unauthenticated'
    account.hidden = current.status !== 'authenticated'
    $('.who', account).textContent = nameOf(current) ?? ''
    document.body.dataset['status'] = current.status
  })

  const signIn = async (): Promise<void> => {
    timeline.begin('Sign in')
    wrong.textContent = ''
    try {
      await chosen.signIn(session, $<HTMLInputElement>('[name=username]', form).value, password.value)
    } catch (error) {
      wrong.textContent = messageOf(error)
      throw error
    }
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    signIn().catch(() => {})
  })
  $('button', account).addEventListener('click', () => {
    timeline.begin('Sign out')
    void session.signOut()
  })
  return signIn
}
