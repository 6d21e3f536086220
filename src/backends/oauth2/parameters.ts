// What is sent to the token endpoint beyond the grant: parameters that only the app knows, and how its server names what a
// refresh is wanted for. Standards have a name for the resource (RFC 8707), none for an organization.

import { InvalidOptionError } from '../../errors.ts'
import type { RefreshIntent } from '../../seam/io.ts'
import { withoutUndefined } from '../../state/credentials.ts'
import type { Parameters, ParameterValue } from '../kit/form.ts'

/** A parameter's name, or the parameters that say it. */
export type Naming = string | ((value: string) => Parameters)

export interface Wording {
  /** Sent at each refresh. A function is called with what the refresh is wanted for. */
  readonly parameters?: { readonly [name: string]: ParameterValue | ((wanted: RefreshIntent) => ParameterValue) }
  readonly names?: { readonly organizationId?: Naming; readonly resource?: Naming }
}

// The grant itself; and what a page can't keep to itself.
const RESERVED = /^(grant_type|refresh_token|client_id|client_secret|client_assertion(_type)?)$/

function assertFree(name: string): void {
  if (RESERVED.test(name))
    throw new InvalidOptionError(
      'parameters',
      `must not have ${name}: the backend sets the grant itself, and a page can't keep a secret`,
    )
}

/** @throws {@link InvalidOptionError} for a parameter that is not the app's to set. */
export function checkParameters({ parameters = {}, names = {} }: Wording): void {
  Object.keys(parameters).forEach(assertFree)
  for (const naming of Object.values(names)) if (typeof naming === 'string') assertFree(naming)
}

/** The parameters for what is wanted; later ones replace earlier ones of the same name. */
export function parametersFor(
  { parameters = {}, names: { resource: resourceName = 'resource', organizationId: organizationName } = {} }: Wording,
  wanted: RefreshIntent,
): Parameters {
  const { resource, organizationId } = wanted
  const values: [string, ParameterValue][] = Object.entries(parameters).map(([name, value]) => [
    name,
    typeof value === 'function' ? value(wanted) : value,
  ])
  const own = withoutUndefined(Object.fromEntries(values))
  return withoutUndefined({ ...say(resourceName, resource), ...say(organizationName, organizationId), ...own })
}

function say(naming: Naming | undefined, value: string | undefined): Parameters {
  if (!naming || !value) return {}
  if (typeof naming === 'string') return { [naming]: value }
  const said = naming(value)
  Object.keys(said).forEach(assertFree)
  return said
}
