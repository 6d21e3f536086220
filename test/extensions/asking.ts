// Handlers of an app that leave the answer to the test.

import type { Extension } from 'resesh'
import { signInRequired, type SignInRequest } from 'resesh/sign-in-required'
import { stepUp, type StepUpRequest } from 'resesh/step-up'

interface Answers {
  /** Says `true`. */
  resolve(): void
  /** Says `false`. */
  reject(): void
}

export type StepUpAsked = StepUpRequest & Answers
export type SignInAsked = SignInRequest & Answers

const leavingTo =
  <R extends object>(asked: (R & Answers)[]) =>
  (request: R): Promise<boolean> =>
    new Promise((answer) => {
      asked.push({ ...request, resolve: () => answer(true), reject: () => answer(false) })
    })

export const askStepUp = (asked: StepUpAsked[]): Extension => stepUp(leavingTo(asked))
export const askSignIn = (asked: SignInAsked[]): Extension => signInRequired(leavingTo(asked))
