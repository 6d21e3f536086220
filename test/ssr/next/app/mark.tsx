'use client'

import { useEffect } from 'react'

/** Notes in `globalThis.marks` when this part of the page has been hydrated, in ms since the page began. For the tests. */
export function Mark({ name }: { name: string }) {
  useEffect(() => {
    const page = globalThis as { marks?: Record<string, number> }
    page.marks = { ...page.marks, [name]: performance.now() }
  }, [name])
  return null
}
