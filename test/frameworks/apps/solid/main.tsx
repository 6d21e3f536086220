/** @jsxImportSource solid-js */
import { render } from 'solid-js/web'
import { openSession } from '../session.ts'
import { App } from './App.tsx'

const session = openSession()
render(() => <App session={session} />, document.querySelector('#app')!)
