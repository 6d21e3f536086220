import HappyDomEnvironment from '@happy-dom/jest-environment'

export default class extends HappyDomEnvironment {
  constructor(...args) {
    super(...args)
    this.global.BroadcastChannel = BroadcastChannel // msw needs it
  }
}
