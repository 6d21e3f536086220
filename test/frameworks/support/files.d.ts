declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent<Record<string, unknown>>
  export default component
}
declare module '@babel/core' {
  export function transformAsync(code: string, options: object): Promise<{ code?: string } | null>
}
declare module '@babel/preset-typescript'
declare module 'babel-preset-solid'
declare module 'vue/compiler-sfc' {
  export * from '@vue/compiler-sfc'
}
