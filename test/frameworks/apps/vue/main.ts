import { createApp } from 'vue'
import { openSession } from '../session.ts'
import App from './App.vue'

createApp(App, { session: openSession() }).mount('#app')
