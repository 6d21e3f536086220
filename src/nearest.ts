// Which of some names was probably meant. Pure.

/** How many letters two names share at their beginning and their end: a typo is in between. */
function countShared(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let start = 0
  while (start < most && a[start] === b[start]) start++
  let end = 0
  while (end < most - start && a.at(-1 - end) === b.at(-1 - end)) end++
  return start + end
}

/** The last part of a path, in lower case: `token` for `data.Token`. */
const lastOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1).toLowerCase()

/** The known name whose last part is most like that of `name`; `undefined` if no known name shares more than half of its letters. */
export function nearestTo(name: string, known: readonly string[]): string | undefined {
  function likeness(each: string): number {
    const [a, b] = [lastOf(name), lastOf(each)]
    return countShared(a, b) / Math.max(a.length, b.length)
  }
  const nearest = [...known].sort((a, b) => likeness(b) - likeness(a))[0]
  return nearest && likeness(nearest) > 0.5 ? nearest : undefined
}
