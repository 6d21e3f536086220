// What nearly every room of the session is built from.

import type { Settings } from './options.ts'
import type { Runtime } from './runtime/ports.ts'
import type { Backend } from './seam/backend.ts'
import type { Emitter } from './session/events.ts'
import type { Reentrance } from './session/reentrance.ts'
import type { Store } from './session/store.ts'

export interface Context<U, C> {
  readonly runtime: Runtime<U>
  readonly backend: Backend<U>
  readonly settings: Settings
  readonly events: Emitter<U, C>
  readonly store: Store<U, C>
  readonly reentrance: Reentrance
}
