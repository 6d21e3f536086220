// A component that shows the user, with a session that needs no server.

import { act, render, screen } from '@testing-library/react'
import { mockSession } from 'resesh/testing'
import { Account, type User } from './Account.tsx'

const ann: User = { id: 'ann', name: 'Ann' }

test('shows the user, an edit, and the end of the session', async () => {
  const session = mockSession({ user: ann })
  render(<Account session={session} />)
  screen.getByText('Hello Ann')
  await act(() => session.edit({ name: 'Ann B.' }))
  screen.getByText('Hello Ann B.')
  await act(() => session.end('revoked'))
  screen.getByText('Please sign in')
})

test('its requests get what the test answers', async () => {
  const session = mockSession({
    user: ann,
    fetch: (request) => Response.json({ path: new URL(request.url).pathname }),
  })
  const response = await session.fetch('/api/orders')
  expect(await response.json()).toEqual({ path: '/api/orders' })
})
