import { type App, createApp, defineComponent, h } from 'vue'
import { useSession } from 'resesh/vue'
import { counted, expose, type Select, show } from './session.ts'

const Item = defineComponent({
  props: { select: { type: Function, required: true } },
  setup({ select }) {
    const selected = useSession(counted, select as Select)
    return () => h('i', { 'data-item': '' }, show(selected.value))
  },
})

let app: App

expose({
  mount(count, select) {
    app = createApp(() => Array.from({ length: count }, (_, nth) => h(Item, { key: nth, select })))
    app.mount('#app')
  },
  unmount: () => app.unmount(),
})
