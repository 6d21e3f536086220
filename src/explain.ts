// Why the user is signed out, for support. By itself it is small enough for production.

export { explain, type Explanation, type ExplanationCode, type FailureCause } from './debug/explain.ts'
