// A file as its text, the way Vite hands it out.

declare module '*?raw' {
  const text: string
  export default text
}
