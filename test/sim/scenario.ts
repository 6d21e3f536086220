// What the seed makes people, networks and devices do, at random; then all faults stop, and everything has to come to rest.

import { API } from './network.ts'
import type { OpenTab, Run, Stage } from './stage.ts'
import type { LiveTab, Nap } from './tab.ts'

const MOST_TABS = 4
const USERS = ['ann', 'bob']

type Act = (stage: Stage, tab: OpenTab) => void

const get =
  (path: string, kind = 'get', origin = API): Act =>
  ({ call }, tab) =>
    call(tab, kind, async (id) => (await tab.session.fetch(`${origin}${path}?id=${id}`)).status)

const post: Act = ({ call }, tab) =>
  call(tab, 'post', async (id) => {
    const init = { method: 'POST', body: JSON.stringify({ order: id }) }
    return (await tab.session.fetch(`${API}/orders?id=${id}`, init)).status
  })

const signIn: Act = ({ call, server, dice }, tab) => {
  const user = dice.pick(USERS)
  const isOwn = dice.chance(0.6)
  call(tab, 'sign-in', () =>
    tab.session.signIn(
      isOwn
        ? server.signIn(user)
        : async ({ fetch }) => {
            const response = await fetch(`${API}/login`, { method: 'POST', body: JSON.stringify({ user }) })
            if (!response.ok) throw new Error('No login')
            return response.json()
          },
    ),
  )
}

const family = ({ server }: Stage, tab: OpenTab) => {
  const id = tab.session.current.claims?.fam
  return id ? server.families[id - 1] : undefined
}

const edit = ({ server, note }: Stage, tab: OpenTab): void => {
  const user = tab.session.current.claims?.sub
  if (!user) return
  note(`${user} edits the profile`)
  server.edit(user)
}

const nap: Act = (stage, tab) => doze(stage, tab, stage.dice.pick<Nap>(['freeze', 'bfcache', 'stall']))

function doze(stage: Stage, tab: LiveTab, how: Nap): void {
  const { dice, after, note, tabs } = stage
  note(`tab ${tab.id} naps: ${how}`)
  tab.sleep(how)
  after(dice.chance(0.5) ? dice.between(100, 5000) : dice.between(5000, 60_000), () => {
    note(`tab ${tab.id} wakes`)
    tab.wake()
    const open = tabs.find(({ id }) => id === tab.id)
    if (open?.life === 'running' && dice.chance(0.5)) get('/data')(stage, open)
  })
}

const kill = ({ note }: Stage, tab: LiveTab): void => {
  note(`tab ${tab.id} is killed`)
  tab.kill()
}

/** Between any two steps: what was written is written, and nobody in this tab knows of it, for a while or for ever. */
export function strike(stage: Stage, tab: LiveTab): void {
  if (!stage.faults || !stage.dice.chance(0.01)) return
  if (stage.dice.chance(0.3)) kill(stage, tab)
  else doze(stage, tab, 'stall')
}

/** How often, and what. */
const ACTS: readonly (readonly [weight: number, act: Act])[] = [
  [6, get('/data')],
  [5, post],
  [3, (stage, tab) => [1, 2, 3].forEach(() => (get('/data')(stage, tab), post(stage, tab)))],
  // All tabs at once, such as after a push message.
  [2, (stage) => stage.tabs.filter(({ life }) => life === 'running').forEach((tab) => get('/data')(stage, tab))],
  [3, ({ call }, tab) => call(tab, 'token', () => tab.session.getToken())],
  [
    4,
    (stage, tab) => {
      edit(stage, tab)
      stage.call(tab, 'forced', () => tab.session.getToken({ skipCache: true }))
    },
  ],
  [
    2,
    (stage, tab) => {
      edit(stage, tab)
      stage.call(tab, 'reload', () => tab.session.reload())
    },
  ],
  [
    3,
    ({ call, dice }, tab) =>
      call(
        tab,
        dice.pick(['aborted-get', 'aborted-post']),
        async (id, signal) => (await tab.session.fetch(`${API}/data?id=${id}`, { signal: signal! })).status,
        dice.between(0, 1500),
      ),
  ],
  [
    1,
    ({ call, dice }, tab) =>
      call(
        tab,
        'forced',
        (_, signal) => tab.session.getToken({ skipCache: true, signal: signal! }),
        dice.between(0, 1500),
      ),
  ],
  [
    5,
    (stage, tab) => {
      const mine = family(stage, tab)
      if (mine) stage.server.expire(mine)
      stage.note('only the server knows that it is over with the tokens')
      get('/data')(stage, tab)
      if (stage.dice.chance(0.5)) post(stage, stage.dice.pick(stage.tabs.filter(({ life }) => life === 'running')))
    },
  ],
  [1, ({ call, dice }, tab) => call(tab, 'sign-out', () => tab.session.signOut({ local: dice.chance(0.2) }))],
  [0.6, (stage, tab) => leaveOffline(stage, tab)],
  [1, signIn],
  [3, (stage, tab) => tab.session.current.status === 'unauthenticated' && signIn(stage, tab)],
  [0.7, get('/refused', 'refused')],
  [0.3, get('/elsewhere', 'foreign', 'https://other.test')],
  [2, nap],
  [0.4, (stage) => stage.tabs.forEach((tab) => nap(stage, tab))],
  [1, kill],
  [1.5, ({ tabs, open }) => tabs.length < MOST_TABS && open()],
  [1.5, ({ dice }, tab) => tab.hide(dice.chance(0.6))],
  [0.5, ({ jump, dice }) => jump(dice.pick([-1, 1]) * dice.between(1000, 3_600_000))],
  [0.3, ({ clear }) => clear()],
  [0.5, slowStorage],
  [0.5, (stage) => offline(stage)],
  [0.5, (stage) => storm(stage)],
  [
    0.15,
    (stage, tab) => {
      const mine = family(stage, tab)
      if (mine) mine.over ??= 'admin'
      stage.note('the server revokes the session')
    },
  ],
]
const TOTAL = ACTS.reduce((sum, [weight]) => sum + weight, 0)

/** The server hears of the sign-out only later, when somebody is signed in again. */
function leaveOffline(stage: Stage, tab: OpenTab): void {
  offline(stage)
  // Clicked twice, before the first is written.
  for (const _ of [1, 2]) stage.call(tab, 'sign-out', () => tab.session.signOut())
  stage.after(stage.dice.between(0, 300), () => {
    if (tab.life === 'running') stage.call(tab, 'sign-in', () => tab.session.signIn(stage.server.signIn('ann')))
  })
}

/** With it often go the tabs that a browser restores: they open while nothing answers. */
function slowStorage({ dice, slowDown, tabs, open }: Stage): void {
  slowDown(dice.chance(0.7) ? dice.between(1000, 8000) : dice.between(8000, 30_000))
  if (tabs.length < MOST_TABS && dice.chance(0.5)) open()
}

function offline(stage: Stage): void {
  stage.note('offline')
  stage.isOnline = false
  stage.after(stage.dice.between(200, 15_000), () => online(stage))
}

function online(stage: Stage): void {
  stage.note('online')
  stage.isOnline = true
  for (const tab of stage.tabs) if (tab.life === 'running') tab.dispatch('online')
}

function storm(stage: Stage): void {
  stage.note('the server can refresh nothing')
  stage.isStormy = true
  stage.after(stage.dice.between(1000, 60_000), () => (stage.isStormy = false))
}

function act(stage: Stage): void {
  const running = stage.tabs.filter(({ life }) => life === 'running')
  if (!running.length) return
  let left = stage.dice() * TOTAL
  const [, chosen] = ACTS.find(([weight]) => (left -= weight) < 0)!
  chosen(stage, stage.dice.pick(running))
}

/** In one of three schedules the machine sleeps, once or twice, for a minute or for hours. */
function sleepAtTimes({ nights, after, sleep }: Stage, length: number): void {
  if (!nights.chance(1 / 3)) return
  for (let count = nights.pick([1, 2]); count > 0; count--)
    after(nights.between(1000, length), () => sleep(Math.round(nights.pick([60_000, 7_200_000]) * nights())))
}

export async function play(stage: Stage, { until, settled, longEnough }: Run): Promise<void> {
  const { dice, tabs } = stage
  for (let count = 1 + Math.floor(dice() * 3); count > 0; count--) stage.after(dice.between(0, 200), stage.open)
  stage.after(dice.between(200, 400), () => signIn(stage, tabs[0]!))

  const length = dice.between(30_000, 120_000)
  for (let count = dice.between(10, 35); count > 0; count--) {
    const time = dice.between(400, length)
    stage.after(time, () => act(stage))
    // What goes wrong goes wrong together.
    if (dice.chance(0.3)) stage.after(Math.min(time + dice.between(0, 400), length), () => act(stage))
  }
  sleepAtTimes(stage, length)
  await until(length)

  stage.note('all faults stop')
  stage.faults = 0
  stage.isStormy = false
  online(stage)
  if (tabs.every(({ life }) => life === 'dead')) stage.open()
  for (const tab of tabs) {
    tab.wake()
    tab.hide(false)
  }
  await settled(stage.now() + longEnough)
  // The bucket of attempts is full again, cool-downs are over, hints that were lost don't matter.
  await until(stage.now() + 65_000)
  online(stage)
  await until(stage.now() + 1000)
  for (const tab of tabs) if (tab.life === 'running') get('/probe', 'probe')(stage, tab)
  await settled(stage.now() + longEnough)
  for (const tab of tabs) if (tab.life === 'running') tab.dispatch('visibilitychange')
  await until(stage.now() + 1000)
}
