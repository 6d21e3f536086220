// session.current, field by field, and how long the access token has left.

import type { Session } from 'resesh'
import { $, el } from '../dom.ts'
import { nameOf } from '../servers/server.ts'

export const showState = (session: Session<any, any>): void => {
  const list = $('#state')
  const life = $('#life')
  let longest = 1

  const rows = () => {
    const { status, user, claims, stale, reason, expiresAt, organizationId } = session.current
    const left = expiresAt === null ? null : Math.max(0, expiresAt - Date.now())
    return {
      status,
      user: nameOf({ user, claims }) ?? user?.id ?? '–',
      ...(organizationId !== null && { organizationId }),
      stale: String(stale),
      reason: reason ?? '–',
      expiresAt: left === null ? '–' : left === 0 ? 'spent' : `in ${Math.ceil(left / 1000)} s`,
    }
  }
  const render = () => {
    const { expiresAt } = session.current
    const entries = Object.entries(rows())
    list.replaceChildren(
      ...entries.map(([name, value]) => el('div', `is-${value}`, el('dt', '', name), el('dd', '', value))),
    )
    const left = Math.max(0, (expiresAt ?? 0) - Date.now())
    life.style.scale = `${left / longest} 1`
  }

  session.subscribe(({ expiresAt }) => {
    longest = Math.max(1, (expiresAt ?? 0) - Date.now())
    render()
  })
  setInterval(render, 1000)
}
