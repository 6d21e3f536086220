// Extensions that do nothing, and the one switch for all that measures them.

/**
 * SWITCH THIS ON once createSession takes `use`. Until then what measures extensions measures the noise.
 * @type {boolean}
 */
export const TAKES_EXTENSIONS = false

const idle = (name) => ({ name, setup: (_kernel) => ({ judge: (_exchange) => undefined }) })

export const EXTENSIONS = [idle('a'), idle('b'), idle('c')]
