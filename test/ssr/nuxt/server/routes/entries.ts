// Every entry that needs no other framework, imported by the server.

import * as resesh from 'resesh'
import * as authjs from 'resesh/backends/authjs'
import * as bearer from 'resesh/backends/bearer'
import * as betterAuth from 'resesh/backends/better-auth'
import * as clerk from 'resesh/backends/clerk'
import * as cookie from 'resesh/backends/cookie'
import * as fromTokens from 'resesh/backends/from-tokens'
import * as kit from 'resesh/backends/kit'
import * as oauth2 from 'resesh/backends/oauth2'
import * as roq from 'resesh/backends/roq'
import * as supertokens from 'resesh/backends/supertokens'
import * as workos from 'resesh/backends/workos'
import * as debug from 'resesh/debug'
import * as devtools from 'resesh/devtools'
import * as explain from 'resesh/explain'
import * as expired from 'resesh/expired'
import * as installFetch from 'resesh/install-fetch'
import * as refreshAfter from 'resesh/refresh-after'
import * as sideTokens from 'resesh/side-tokens'
import * as signInRequired from 'resesh/sign-in-required'
import * as socket from 'resesh/socket'
import * as stepUp from 'resesh/step-up'
import * as custom from 'resesh/storage/custom'
import * as local from 'resesh/storage/local'
import * as testing from 'resesh/testing'
import * as vue from 'resesh/vue'
import * as xhr from 'resesh/xhr'

const entries = { resesh, authjs, bearer, betterAuth, clerk, cookie, fromTokens, kit, oauth2, roq, supertokens, workos }
const others = { debug, devtools, explain, expired, installFetch, vue, refreshAfter, sideTokens, signInRequired }
const rest = { socket, stepUp, custom, local, testing, xhr }

export default defineEventHandler(() => {
  const all = Object.entries({ ...entries, ...others, ...rest })
  return all.map(([name, entry]) => `${name}: ${Object.keys(entry).length}`).join(', ')
})
