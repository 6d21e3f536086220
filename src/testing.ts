// For the tests of an app: a session without a server, tabs in one process, a clock. The server is `resesh/testing/server`.

export { type TestClock, testClock } from './testing/clock.ts'
export { mockSession, type MockSession, type MockSessionOptions, unsignedJwt } from './testing/mock-session.ts'
export { type TestTabs, testTabs } from './testing/tabs.ts'
