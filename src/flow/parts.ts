// What most of the flow is built from.

import type { Backend, World } from '../ports.ts'
import type { Caller } from './call.ts'
import type { Emitter } from './events.ts'
import type { Farewell } from './farewell.ts'
import type { Journal } from './journal.ts'
import type { Store } from './store.ts'
import type { Turn } from './turn.ts'

export interface Parts<U, C> {
  world: World<U>
  backend: Backend<U>
  store: Store<U, C>
  events: Emitter<U, C>
  call: Caller<U>
  turn: Turn
  journal: Journal
  farewell: Farewell<U>
  timeout: number
  replayWindow: number
}
