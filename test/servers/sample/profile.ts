// The users of the sample server and what may be edited of them. Nothing about tokens or sessions.

export interface Profile {
  readonly id: string
  name: string
  role: string
  org: string
  email: string
  birthday: string
  city: string
  [field: string]: unknown
}

const password = 'secret'

const born = (id: string): Profile => ({
  id,
  name: id.charAt(0).toUpperCase() + id.slice(1),
  role: 'reader',
  org: 'acme',
  email: `${id}@example.test`,
  birthday: '1990-05-01',
  city: 'Lisbon',
})

/** Profiles by id. Whoever signs in with the right password exists from then on. */
export class Users {
  readonly #profiles = new Map<string, Profile>()

  signIn(id: unknown, given: unknown): Profile | undefined {
    return typeof id === 'string' && id !== '' && given === password ? this.get(id) : undefined
  }

  get(id: string): Profile {
    const known = this.#profiles.get(id) ?? born(id)
    this.#profiles.set(id, known)
    return known
  }

  edit(id: string, changes: Record<string, unknown>): Profile {
    const profile = { ...this.get(id), ...changes, id }
    this.#profiles.set(id, profile)
    return profile
  }

  clear(): void {
    this.#profiles.clear()
  }

  toJSON(): Record<string, Profile> {
    return Object.fromEntries(this.#profiles)
  }
}
