/** @jsxImportSource solid-js */
import { For } from 'solid-js'
import { render } from 'solid-js/web'
import { useSession } from 'resesh/solid'
import { counted, expose, type Select, show } from './session.ts'

function Item({ select }: { select: Select }) {
  const selected = useSession(counted, select)
  return <i data-item>{show(selected())}</i>
}

let dispose: () => void

expose({
  mount(count, select) {
    const items = Array.from({ length: count }, (_, nth) => nth)
    dispose = render(() => <For each={items}>{() => <Item select={select} />}</For>, document.querySelector('#app')!)
  },
  unmount: () => dispose(),
})
