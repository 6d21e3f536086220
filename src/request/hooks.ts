// Asks the extensions, in the order of their list, and guards the core against what code of the app throws: it counts as
// "says nothing", and an `error` event tells of it once.

import { CallbackError, sentenceOf, type SessionEndedError, type StepUpRequiredError } from '../errors.ts'
import { isPromise } from '../runtime/wait.ts'
import type { Backend } from '../seam/backend.ts'
import type { Awaitable, RequestView } from '../seam/io.ts'
import type { ExtensionHooks, ExtensionVerdict, RequestContext, ResponseContext } from '../seam/extension.ts'

export interface NamedHooks extends ExtensionHooks {
  readonly name: string
}

/** Runs code of the app. @returns what it answered, `undefined` where it threw or rejected. */
export type Guard = <T>(name: string, run: () => Awaitable<T>) => Awaitable<T | undefined>

export interface Hooks {
  /** False where no extension looks at responses: then nothing needs to be prepared for them. */
  readonly hasAny: boolean
  /** Whether it goes to an endpoint of the backend. */
  owns(request: RequestView): boolean
  /** Whether the answer to a request may begin a session by a cookie. */
  beginsSession(request: RequestView): boolean
  observe(context: ResponseContext): Promise<unknown> | undefined
  judge(context: ResponseContext): Awaitable<ExtensionVerdict | undefined>
  blocked(
    context: RequestContext,
    error: SessionEndedError | StepUpRequiredError,
  ): Awaitable<'deliver' | 'replay' | undefined>
  served(context: ResponseContext): Promise<unknown> | undefined
}

export function createGuard(tell: (error: CallbackError) => void): Guard {
  const told = new Set<string>()

  function report(name: string, cause: unknown): undefined {
    if (told.has(name)) return
    told.add(name)
    tell(
      new CallbackError(
        `${name} threw: ${sentenceOf(cause)} Its answer is ignored for this response. Later errors of it are not reported.`,
        {
          cause,
        },
      ),
    )
  }

  return (name, run) => {
    try {
      const answer = run()
      return isPromise(answer) ? answer.catch((cause: unknown) => report(name, cause)) : answer
    } catch (cause) {
      return report(name, cause)
    }
  }
}

export function createHooks(
  extensions: readonly NamedHooks[],
  backend: Pick<Backend<never>, 'owns' | 'beginsSession'>,
  guard: Guard,
): Hooks {
  const observers = extensions.filter(({ observe }) => observe)
  const judges = extensions.filter(({ judge }) => judge)
  const blockers = extensions.filter(({ blocked }) => blocked)
  const servers = extensions.filter(({ served }) => served)

  /** The first word that one of them says; without a promise as long as none of them returns one. */
  function firstWord<T>(
    from: readonly NamedHooks[],
    ask: (hooks: NamedHooks) => Awaitable<T | undefined>,
  ): Awaitable<T | undefined> {
    for (let nth = 0; nth < from.length; nth++) {
      const hooks = from[nth]!
      const word = guard(`${hooks.name}()`, () => ask(hooks))
      if (isPromise(word)) return word.then((said) => said ?? firstWord(from.slice(nth + 1), ask))
      if (word !== undefined) return word
    }
    return undefined
  }

  /** Tells all of them. @returns what has to be awaited, if there is anything. */
  function tellAll(
    from: readonly NamedHooks[],
    tell: (hooks: NamedHooks) => Promise<unknown> | undefined,
  ): Promise<unknown> | undefined {
    let pending: Promise<unknown>[] | undefined
    for (const hooks of from) {
      const work = guard(`${hooks.name}()`, () => tell(hooks) as Awaitable<unknown>)
      if (isPromise(work)) (pending ??= []).push(work)
    }
    return pending && Promise.all(pending)
  }

  return {
    hasAny: observers.length + judges.length + servers.length > 0,
    owns: ({ url, method }) => (backend.owns ? guard('owns', () => backend.owns!(url, method)) === true : false),
    beginsSession: (request) =>
      backend.beginsSession ? guard('beginsSession', () => backend.beginsSession!(request)) === true : false,
    observe: (context) => tellAll(observers, (hooks) => hooks.observe!(context)),
    judge: (context) => firstWord(judges, (hooks) => hooks.judge!(context)),
    blocked: (context, error) => firstWord(blockers, (hooks) => hooks.blocked!(context, error)),
    served: (context) => tellAll(servers, (hooks) => hooks.served!(context)),
  }
}
