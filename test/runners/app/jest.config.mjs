export default {
  testEnvironment: 'jest-fixed-jsdom', // jest-environment-jsdom with the fetch of Node
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: {
    '\\.tsx?$': [
      'babel-jest',
      { presets: ['@babel/preset-typescript', ['@babel/preset-react', { runtime: 'automatic' }]] },
    ],
  },
}
