// The demo's page: one session, five panels that render from it.

import { showAccount } from './panels/account.ts'
import { showBurst } from './panels/burst.ts'
import { showFaults } from './panels/faults.ts'
import { showLog } from './panels/log.ts'
import { showProfile } from './panels/profile.ts'
import { showState } from './panels/state.ts'
import { recorder, session } from './session.ts'
import { showTimeline } from './timeline/view.ts'

showTimeline(recorder)
showAccount(session, recorder)
showState(session)
showProfile(session, recorder)
showBurst(session, recorder)
showFaults(recorder)
showLog(session, recorder)
