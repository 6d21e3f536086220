import { createRoot } from 'react-dom/client'
import { SessionProvider } from 'resesh/react'
import { openSession } from '../session.ts'
import { App } from './App.tsx'

createRoot(document.querySelector('#app')!).render(
  <SessionProvider session={openSession()}>
    <App />
  </SessionProvider>,
)
