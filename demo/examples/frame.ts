// What the pages of the examples have in common, put into each as it is served.

import type { Plugin } from 'vite'

const HEAD = `<meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link
      rel="icon"
      href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect y='2' width='9' height='3' fill='%235b7bd5'/%3E%3Crect x='4' y='6.5' width='8' height='3' fill='%23e8720c'/%3E%3Crect x='9' y='11' width='7' height='3' fill='%2316a085'/%3E%3C/svg%3E"
    />
    <link rel="stylesheet" href="/style/page.css" />
    <link rel="stylesheet" href="/style/panels.css" />
    <link rel="stylesheet" href="/style/stage.css" />
    <link rel="stylesheet" href="/style/examples.css" />`

const TOP = `<header class="top">
      <a class="brand" href="/">
        <svg class="mark" viewBox="0 0 32 26" aria-hidden="true">
          <rect class="first" x="0" y="0" width="17" height="6" rx="1.5" />
          <rect class="refresh" x="9" y="10" width="14" height="6" rx="1.5" />
          <rect class="replay" x="17" y="20" width="15" height="6" rx="1.5" />
        </svg>
        <h1>resesh</h1>
        <p>Keeps the users of your web app signed in</p>
      </a>
    </header>`

const CHOICE = `<div class="choice">
      <label for="server">Server</label>
      <select id="server" aria-describedby="server-note"></select>
      <code id="server-code"></code>
      <p id="server-note">
        <span class="roomy">The same session, whatever the server is: only this line differs.</span>
        Choosing a server loads the page again.
      </p>
    </div>`

const parts = { head: HEAD, top: TOP, choice: CHOICE }

export const frame = (): Plugin => ({
  name: 'frame',
  transformIndexHtml: {
    order: 'pre',
    handler: (html) =>
      Object.entries(parts).reduce((page, [name, part]) => page.replace(`<!-- ${name} -->`, part), html),
  },
})
