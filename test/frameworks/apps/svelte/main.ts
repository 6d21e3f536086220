import { mount } from 'svelte'
import { openSession } from '../session.ts'
import App from './App.svelte'

mount(App, { target: document.querySelector('#app')!, props: { session: openSession() } })
