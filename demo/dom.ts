// The two helpers this page needs.

export const $ = <E extends HTMLElement = HTMLElement>(selector: string, within: ParentNode = document): E => {
  const found = within.querySelector<E>(selector)
  if (!found) throw new Error(`No ${selector} on the page`)
  return found
}

export const el = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] => {
  const element = Object.assign(document.createElement(tag), { className })
  element.append(...content)
  return element
}
