/** @jsxImportSource solid-js */
import { Match, Switch } from 'solid-js'
import type { Session, State } from 'resesh'
import { useSession } from 'resesh/solid'
import { rename, signIn, type User } from '../session.ts'

export function App(props: { session: Session<User>; serverState?: State<User> | undefined }) {
  const { session } = props
  const current = useSession(session, undefined, props.serverState)
  return (
    <Switch>
      <Match when={current().status === 'loading'}>
        <p>One moment</p>
      </Match>
      <Match when={current().status === 'unauthenticated'}>
        <button onClick={() => void signIn(session)}>Sign in</button>
      </Match>
      <Match when={current().status === 'authenticated'}>
        <p>Hello {current().user?.name}</p>
        <button onClick={() => void rename(session)}>Rename</button>
        <button onClick={() => void session.signOut()}>Sign out</button>
      </Match>
    </Switch>
  )
}
