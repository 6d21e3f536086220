import { Account } from '../../account'
import { Late } from '../../late'
import { TenRequests } from '../../ten-requests'
import type { User } from '../../user'
import { askApi } from '../api'

async function load(ms: number): Promise<User | undefined> {
  const response = await askApi(`/api/me?ms=${ms}`)
  return response.ok ? response.json() : undefined
}

export default async function Page({ searchParams }: { searchParams: Promise<{ ms?: string }> }) {
  const { ms = '0' } = await searchParams
  return (
    <main>
      <Account />
      <TenRequests />
      <Late ms={Number(ms)} load={load} />
    </main>
  )
}
