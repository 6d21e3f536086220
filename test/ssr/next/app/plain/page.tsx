import Link from 'next/link'
import { Account } from '../account'
import { TenRequests } from '../ten-requests'

export default function Page() {
  return (
    <main>
      <Account />
      <TenRequests />
      <Link href="/plain/slow?ms=100">A slow page</Link>
    </main>
  )
}
