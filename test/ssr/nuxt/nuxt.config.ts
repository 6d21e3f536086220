export default defineNuxtConfig({
  compatibilityDate: '2026-01-01',
  // Where the API is: the server takes it from the environment, as NUXT_API.
  runtimeConfig: { api: '' },
  // Vue says what does not match, also in production.
  vite: { define: { __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'true' } },
  telemetry: false,
})
