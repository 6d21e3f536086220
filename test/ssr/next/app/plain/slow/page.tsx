import { Account } from '../../account'
import { Late } from '../../late'

async function load(ms: number) {
  await fetch(`${process.env.API}/api/me?ms=${ms}`, { cache: 'no-store' })
  return null
}

export default async function Page({ searchParams }: { searchParams: Promise<{ ms?: string }> }) {
  const { ms = '0' } = await searchParams
  return (
    <main>
      <Account />
      <Late ms={Number(ms)} load={load} />
    </main>
  )
}
