import { StrictMode } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { useSession } from 'resesh/react'
import { counted, expose, type Select, show } from './session.ts'

function Item({ select }: { select: Select }) {
  return <i data-item>{show(useSession(counted, (state) => select(state)))}</i>
}

let root: Root
const isStrict = new URLSearchParams(location.search).has('strict')

expose({
  mount(count, select) {
    root = createRoot(document.querySelector('#app')!)
    const items = Array.from({ length: count }, (_, nth) => <Item key={nth} select={select} />)
    root.render(isStrict ? <StrictMode>{items}</StrictMode> : items)
  },
  unmount: () => root.unmount(),
})
