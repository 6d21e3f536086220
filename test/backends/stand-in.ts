// The vendors' stand-in servers, as the contract wants them.

import type { StandIn } from '../servers/vendors/stand-in.ts'
import type { Stand } from './contract.ts'

export * from '../servers/vendors/stand-in.ts'

export const API = 'https://api.example.test'

/** A contract's stand over one of them: `own` is what only it can say. */
export const standOf = <S extends StandIn, T extends Pick<Stand, 'backend' | 'refreshPath' | 'signIn'>>(
  server: S,
  own: T & Partial<Stand>,
): Stand & T & { server: S } =>
  Object.assign(
    {
      server,
      handle: server.handle,
      profile: `${API}/api/me`,
      options: { origins: [API] },
      lifeMs: server.lifeMs,
      expire: server.expire,
      revoke: server.revoke,
      edit: server.edit,
      fail: server.fail,
      get refreshes() {
        return server.refreshes
      },
      get living() {
        return server.count
      },
    },
    own,
  )
