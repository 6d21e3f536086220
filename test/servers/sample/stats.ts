// What the server saw, counted, and a log of it. Tokens appear by their id, never in full.

export interface LogEntry {
  at: number
  method: string
  path: string
  status: number | 'drop'
  what: string
}

const fresh = () => ({
  /** All that reached a face or the API, but for preflights. */
  requests: 0,
  /** To /api. */
  api: 0,
  /** Refresh calls that arrived, whatever came of them; of cookie sessions only POST /bff/refresh. */
  refreshes: 0,
  refreshesInFlight: 0,
  maxRefreshesInFlight: 0,
  /** Behind a cookie, by the server itself. */
  silentRefreshes: 0,
  preflights: 0,
  /** By method and path, 'GET /api/me'. */
  byPath: {} as Record<string, number>,
  /** By status, or 'drop'. */
  byStatus: {} as Record<string, number>,
  /** Uses by token id: `session.number`. */
  accessTokenUses: {} as Record<string, number>,
  refreshTokenUses: {} as Record<string, number>,
  /** Orders accepted, by the id in their body. */
  orders: {} as Record<string, number>,
})

export type Counts = ReturnType<typeof fresh>
export type Stats = Counts & { readonly thefts: number; readonly rotations: number }

export const count = (table: Record<string, number>, key: string | number): void => {
  table[key] = (table[key] ?? 0) + 1
}

/** `session.number.random` without the random part. */
export const tokenId = (token: string): string => token.split('.').slice(0, 2).join('.')

const logLimit = 10_000

export class Records {
  readonly stats: Stats
  readonly log: LogEntry[] = []
  /** How often the counts were cleared: what began before that is not counted any more. */
  era = 0

  constructor(tokens: { thefts: number; rotations: number }) {
    this.stats = {
      ...fresh(),
      get thefts() {
        return tokens.thefts
      },
      get rotations() {
        return tokens.rotations
      },
    }
  }

  write(entry: LogEntry): void {
    count(this.stats.byStatus, entry.status)
    this.log.push(entry)
    if (this.log.length > logLimit) this.log.shift()
  }

  clear(): void {
    this.era++
    Object.assign(this.stats, fresh())
    this.log.length = 0
  }
}
