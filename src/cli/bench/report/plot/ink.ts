/** Colours and dashes of lines, and the style sheet that all plots need. Pure. */

/** Okabe and Ito's idea: hues that stay apart for people who see red and green alike; beyond five the dash tells lines apart. */
const light = ['#0067a8', '#c24e00', '#00805c', '#a3418c', '#3d4852']
const dark = ['#58b0f0', '#ff8f50', '#3fcf9f', '#e592d0', '#c3ccd4']
const dashes = ['', '6 3', '1.5 3.5']

/** Class of the n-th line, from 0 on; all may be told apart up to the fifteenth. */
export function inkClass(index: number): string {
  return `ink${index % light.length}`
}

/** For `stroke-dasharray`; undefined is a solid line. */
export function dashOf(index: number): string | undefined {
  return dashes[Math.floor(index / light.length) % dashes.length] || undefined
}

/** A page has it once. It follows the `color-scheme` that the visitor prefers; the page itself may use the variables, too. */
export function plotStyle(): string {
  return `
:root { color-scheme: light dark; --paper: #ffffff; --text: #1c2329; --quiet: #5b6670; --rule: #e1e5e9; --panel: #f6f8f9; --bad: #b3261e;
${variables(light)} }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181c; --text: #e6eaed; --quiet: #9aa5ae; --rule: #2c343b; --panel: #1b2126; --bad: #ff8a80;
  ${variables(dark)} }
}
${light.map((_, index) => `.ink${index} { --ink: var(--ink${index}); }`).join('\n')}
.plot { display: block; width: 100%; height: auto; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.plot text { fill: var(--quiet); }
.plot .grid { stroke: var(--rule); stroke-width: 1; }
.plot .line { fill: none; stroke: var(--ink); stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.plot .thin { fill: none; stroke: var(--ink); stroke-width: 1; opacity: .3; }
.plot .band { fill: var(--ink); opacity: .13; }
.plot .dot { fill: var(--ink); }
.plot .hollow { fill: var(--paper); stroke: var(--ink); stroke-width: 1.8; }
.plot .lead { stroke: var(--ink); stroke-width: 1; opacity: .45; fill: none; }
.plot .label { fill: var(--ink); }
.plot .mark { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 2 2; }
.plot .while { fill: var(--quiet); opacity: .14; }
.plot .bad { fill: var(--bad); }
.plot .track { fill: var(--rule); }
.plot .bar { fill: var(--ink); }
.plot .fair { stroke: var(--text); stroke-width: 1.5; }
.plot .strong { fill: var(--text); }
`.trim()
}

function variables(colours: readonly string[]): string {
  return colours.map((colour, index) => `--ink${index}: ${colour};`).join(' ')
}
