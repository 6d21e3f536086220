import { mount, unmount } from 'svelte'
import { expose } from './session.ts'
import Items from './svelte.svelte'

let items: Record<string, unknown>

expose({
  mount(count, select) {
    items = mount(Items, { target: document.querySelector('#app')!, props: { count, select } })
  },
  unmount: () => unmount(items),
})
