import type { Session, State } from 'resesh'
import { createContext } from 'svelte'

export interface User {
  id: string
  name: string
}

// What the layout has set, its pages and components get.
export const [getSession, setSession] = createContext<{ session: Session<User>; serverState?: State<User> }>()
