// The demo's page: one session, five panels that render from it.

import { mountDevtools } from 'resesh/devtools'
import { $ } from './dom.ts'
import { showAccount } from './panels/account.ts'
import { showBurst } from './panels/burst.ts'
import { showFaults } from './panels/faults.ts'
import { showLog } from './panels/log.ts'
import { showProfile } from './panels/profile.ts'
import { showState } from './panels/state.ts'
import { sameChoice, showChoice } from './servers/choice.ts'
import { session } from './session.ts'

const { element: timeline } = mountDevtools(session, { target: $('#timeline') })
showChoice()
$<HTMLAnchorElement>('#another-tab').href = `/${sameChoice}`
const signIn = showAccount(session, timeline)
showState(session)
showProfile(session, timeline)
showBurst(session, timeline, signIn)
showFaults(session)
showLog(session)
