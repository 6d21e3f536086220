// A component of React that renders for reasons of its own, and has an effect that depends on what it selects.

import { useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { useSession } from 'resesh/react'
import { counted, expose } from './session.ts'

function Item() {
  const selected = useSession(counted, ({ user }) => ({ name: user?.name }))
  const [renders, setRenders] = useState(0)
  const [effects, setEffects] = useState(0)
  useEffect(() => setEffects((count) => count + 1), [selected])
  return <button onClick={() => setRenders(renders + 1)}>{`${selected.name} ${renders} ${effects}`}</button>
}

expose({
  mount: () => createRoot(document.querySelector('#app')!).render(<Item />),
  unmount: () => {},
})
