// Finds the name that was probably meant. Pure.

/** How many letters two names share at their beginning and their end: a typo is in between. */
function countShared(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let start = 0
  while (start < most && a[start] === b[start]) start++
  let end = 0
  while (end < most - start && a.at(-1 - end) === b.at(-1 - end)) end++
  return start + end
}

/**
 * The known name that is most like this one; `undefined` where none is like it.
 * @param least How much of the longer name the two have to share: 0 nothing, 1 all of it.
 */
export function nearestTo(name: string, known: readonly string[], least = 0.5): string | undefined {
  const likeness = (each: string): number =>
    countShared(name.toLowerCase(), each.toLowerCase()) / Math.max(name.length, each.length)
  const nearest = [...known].sort((a, b) => likeness(b) - likeness(a))[0]
  return nearest && likeness(nearest) > least ? nearest : undefined
}
