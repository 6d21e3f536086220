import { HttpClient, provideHttpClient, withInterceptors } from '@angular/common/http'
import { Component, inject, provideZonelessChangeDetection, signal } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { sessionSignal } from 'resesh/angular'
import { sessionInterceptor } from 'resesh/angular-http'
import { openSession, rename, signIn } from '../session.ts'

const session = openSession()

@Component({
  selector: '#app',
  template: `
    @switch (current().status) {
      @case ('loading') {
        <p>One moment</p>
      }
      @case ('unauthenticated') {
        <button (click)="signIn(session)">Sign in</button>
      }
      @default {
        <p>Hello {{ current().user?.name }}</p>
        <button (click)="rename(session)">Rename</button>
        <button (click)="session.signOut()">Sign out</button>
        <button (click)="load()">Load</button>
        <output>{{ loaded() }}</output>
      }
    }
  `,
})
class App {
  readonly session = session
  readonly signIn = signIn
  readonly rename = rename
  readonly current = sessionSignal(session)
  readonly loaded = signal('')
  readonly #http = inject(HttpClient)

  load(): void {
    this.#http.get<{ city: string }>('/api/me').subscribe(({ city }) => this.loaded.set(city))
  }
}

void bootstrapApplication(App, {
  providers: [provideZonelessChangeDetection(), provideHttpClient(withInterceptors([sessionInterceptor(session)]))],
})
