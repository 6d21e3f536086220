import { type ApplicationRef, Component, provideZonelessChangeDetection } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { sessionSignal } from 'resesh/angular'
import { counted, expose, type Select, show } from './session.ts'

const wanted = { count: 0, select: (() => null) as Select }

@Component({ selector: 'one-item', template: '<i data-item>{{ show(selected()) }}</i>' })
class Item {
  readonly selected = sessionSignal(counted, wanted.select)
  readonly show = show
}

@Component({
  selector: '#app',
  imports: [Item],
  template: '@for (item of items; track item) { <one-item /> }',
})
class Items {
  readonly items = Array.from({ length: wanted.count }, (_, nth) => nth)
}

let app: ApplicationRef

expose({
  async mount(count, select) {
    Object.assign(wanted, { count, select })
    app = await bootstrapApplication(Items, { providers: [provideZonelessChangeDetection()] })
  },
  unmount: () => app.destroy(),
})
