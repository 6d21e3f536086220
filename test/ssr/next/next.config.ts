import type { NextConfig } from 'next'

export default {
  reactStrictMode: true,
  // The lock of the whole project lies above; the app is this folder.
  turbopack: { root: import.meta.dirname },
} satisfies NextConfig
