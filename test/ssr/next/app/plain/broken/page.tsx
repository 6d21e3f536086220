import { Suspense } from 'react'
import { Live } from './live'

/** Comes when the API has answered, and the session of the page is known by then. */
async function Part() {
  await fetch(`${process.env.API}/api/me?ms=500`, { cache: 'no-store' })
  return <Live />
}

export default function Page() {
  return (
    <Suspense fallback={<p>It is on its way</p>}>
      <Part />
    </Suspense>
  )
}

export const dynamic = 'force-dynamic'
