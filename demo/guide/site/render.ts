// A page of the guide as HTML. Pure: markdown in, HTML out.

import { dirname, join } from 'node:path/posix'
import { Marked, type Tokens } from 'marked'
import { backendPages, type GuidePage, guidePages, textOf } from './pages.ts'

/** The id of a heading, as GitHub makes it, so that a link works in both places. */
export const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Where a link of a page leads within the site; `null` for a file that is no page of it. */
export function resolveLink(href: string, from: GuidePage, pages: readonly GuidePage[]): string | null {
  if (/^(https?:|#)/.test(href)) return href
  const [path = '', anchor] = href.split('#')
  const file = join(dirname(from.file), path)
  const target = pages.find((page) => page.file === file)
  if (!target) return null
  return anchor ? `/guide/${target.name}#${anchor}` : `/guide/${target.name}`
}

function markdownOf(page: GuidePage, pages: readonly GuidePage[]): string {
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }: Tokens.Heading) {
        return `<h${depth} id="${slugOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`
      },
      link({ href, tokens }: Tokens.Link) {
        const text = this.parser.parseInline(tokens)
        const place = resolveLink(href, page, pages)
        return place === null ? text : `<a href="${escape(place)}">${text}</a>`
      },
      code({ text, lang = '' }: Tokens.Code) {
        return `<pre tabindex="0"><code class="${escape(lang.split(' ')[0]!)}">${colored(text)}</code></pre>\n`
      },
      table(token: Tokens.Table) {
        const head = token.header.map(({ text, tokens }) =>
          text ? `<th scope="col">${this.parser.parseInline(tokens)}</th>` : '<td></td>',
        )
        const isNamed = token.header.some(({ text }) => text)
        const rows = token.rows.map(
          (row) => `<tr>${row.map((cell) => `<td>${this.parser.parseInline(cell.tokens)}</td>`).join('')}</tr>`,
        )
        return `<div class="wide" tabindex="0"><table>${isNamed ? `<thead><tr>${head.join('')}</tr></thead>` : ''}<tbody>${rows.join('')}</tbody></table></div>\n`
      },
    },
  })
  return marked.parse(textOf(page).replaceAll(/<!--.*?-->/gs, ''), { async: false })
}

const TOKEN =
  /(\/\/[^\n]*|(?<=^|\s)# [^\n]*$)|('(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\b(import|from|const|let|await|async|return|if|else|throw|new|function|export|try|catch|type|interface)\b/gm

/** Comments, texts and keywords stand out; nothing else has a colour. */
function colored(code: string): string {
  let html = ''
  let end = 0
  for (const found of code.matchAll(TOKEN)) {
    const [text, comment, string] = found
    html += escape(code.slice(end, found.index))
    html += `<i class="${comment ? 'comment' : string ? 'text' : 'word'}">${escape(text)}</i>`
    end = found.index + text.length
  }
  return html + escape(code.slice(end))
}

const linksTo = (pages: readonly GuidePage[], here: GuidePage): string =>
  pages
    .map(
      ({ name, title }) =>
        `<a href="/guide/${name}"${name === here.name ? ' aria-current="page"' : ''}>${escape(title)}</a>`,
    )
    .join('\n')

/** The whole page. @param template The HTML around it, with its three places marked. */
export function renderPage(page: GuidePage, template: string): string {
  const [guide, backends] = [guidePages(), backendPages()]
  return template
    .replace('<!-- title -->', () => escape(page.title))
    .replace('<!-- guide -->', () => linksTo(guide, page))
    .replace('<!-- backends -->', () => linksTo(backends, page))
    .replace('<!-- page -->', () => markdownOf(page, [...guide, ...backends]))
}
