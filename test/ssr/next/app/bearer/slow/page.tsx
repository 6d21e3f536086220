import { cookies } from 'next/headers'
import { Account } from '../../account'
import { Late } from '../../late'
import { TenRequests } from '../../ten-requests'
import type { User } from '../../user'
import { askApi } from '../tokens'

async function load(ms: number): Promise<User | undefined> {
  return askApi<User>(`/api/me?ms=${ms}`, (await cookies()).get('access_token')?.value ?? '')
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
