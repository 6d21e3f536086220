import Link from 'next/link'
import { Account } from '../account'
import { TenRequests } from '../ten-requests'
import { SignIn } from './sign-in'

export default function Page() {
  return (
    <main>
      <Account />
      <SignIn />
      <TenRequests />
      <Link href="/bearer/slow?ms=100">A slow page</Link>
    </main>
  )
}
