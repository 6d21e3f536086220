// What the chosen server can't do: one sentence for each reason, and the disabled controls are described by it.

import { el } from '../dom.ts'

/** @param reasons Each with its controls. Without a sentence there is nothing to say. */
export const cannot = (place: HTMLElement, reasons: Record<string, Iterable<Element>>): void => {
  const given = Object.entries(reasons).filter(([sentence]) => sentence)
  place.hidden = given.length === 0
  given.forEach(([sentence, controls], index) => {
    const line = Object.assign(el('span', '', sentence), { id: `${place.id}-${index}` })
    place.append(line, ' ')
    for (const control of controls) control.setAttribute('aria-describedby', line.id)
  })
}
