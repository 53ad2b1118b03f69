/** Parts that all pages of measurements have. Every text that is not HTML yet goes through `escaped`. Pure. */
import { pageStyle } from './page-style.ts'
import { plotStyle } from './plot/ink.ts'
import { escaped } from './plot/svg.ts'

/** Nothing is fetched from anywhere and nothing runs: only the styles inside the page are allowed. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/** A whole page. `body` is HTML already. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>
${plotStyle()}
${pageStyle}
</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}

export interface HtmlCell {
  /** HTML. */
  html: string
  isBest?: boolean
  isWords?: boolean
}

export interface HtmlRow {
  /** HTML of the first cell, which names the row. */
  head: string
  cells: readonly HtmlCell[]
  wins?: boolean
}

/** A table that scrolls by itself where the screen is narrow. Titles are HTML, too, with a text for the pointer. */
export function htmlTable(titles: readonly { html: string; text?: string }[], rows: readonly HtmlRow[]): string {
  const head = titles.map(({ html, text }) => `<th scope="col"${text === undefined ? '' : ` title="${escaped(text)}"`}>${html}</th>`)
  const lines = rows.map(({ head, cells, wins }) => {
    const parts = cells.map(({ html, isBest, isWords }) => `<td${classOf({ best: isBest, words: isWords })}>${html}</td>`)
    return `<tr${classOf({ wins })}><th scope="row">${head}</th>${parts.join('')}</tr>`
  })
  return `<div class="scroll"><table>\n<thead><tr>${head.join('')}</tr></thead>\n<tbody>\n${lines.join('\n')}\n</tbody>\n</table></div>`
}

/** Names and values, side by side where there is room. Both are text. */
export function factList(facts: readonly (readonly [name: string, value: string])[]): string {
  return `<dl class="facts">${facts.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl>`
}

/** The same picture for a wide and for a narrow screen, as words in a scaled one would be too small to read. */
export function forBoth(draw: (width: number, isNarrow: boolean) => string): string {
  return `<div class="wide">${draw(1040, false)}</div><div class="narrow">${draw(360, true)}</div>`
}

function classOf(classes: Record<string, boolean | undefined>): string {
  const names = Object.keys(classes).filter((name) => classes[name])
  return names.length === 0 ? '' : ` class="${names.join(' ')}"`
}
