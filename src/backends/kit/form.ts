// Parameters as OAuth sends them.

/** A list is sent as one parameter for each of its values; `undefined` is left out. */
export type ParameterValue = string | readonly string[] | undefined
export interface Parameters {
  readonly [name: string]: ParameterValue
}

/** The body of a call (RFC 6749, appendix B). */
export function formOf(parameters: Parameters): URLSearchParams {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    for (const each of typeof value === 'string' ? [value] : (value ?? [])) form.append(name, each)
  return form
}
