import { Suspense } from 'react'
import { Account } from './account'
import { Mark } from './mark'
import type { User } from './user'

/** Three parts that come one after the other, each when the API has answered. */
export function Late({ ms, load }: { ms: number; load(ms: number): Promise<User | null | undefined> }) {
  return [1, 2, 3].map((nth) => (
    <Suspense key={nth} fallback={<p>Part {nth} is on its way</p>}>
      <Part nth={nth} loading={load(nth * ms)} />
    </Suspense>
  ))
}

async function Part({ nth, loading }: { nth: number; loading: Promise<User | null | undefined> }) {
  const user = await loading
  return (
    <section>
      <p>
        Part {nth} for {user?.name ?? 'nobody'}
      </p>
      <Account />
      <Mark name={`part ${nth}`} />
    </section>
  )
}
