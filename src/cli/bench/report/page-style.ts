/** How the pages of measurements look. Beside `plotStyle()`, whose colours it uses. */

export const pageStyle = `
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 0 0 2px; }
h3 { font-size: 14px; margin: 28px 0 6px; }
p { margin: 0 0 10px; max-width: 76ch; }
a { color: var(--ink0); }
code { font-size: 13px; }
.quiet { color: var(--quiet); }
.scroll + p { margin-top: 8px; font-size: 13px; }
section { border-top: 1px solid var(--rule); margin-top: 36px; padding-top: 24px; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 10px 20px; margin: 18px 0 0; }
.facts dt { color: var(--quiet); font-size: 12px; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.verdict { background: var(--panel); border-left: 3px solid var(--ink0); padding: 10px 14px; margin: 12px 0; max-width: none; }
.verdict.open { border-left-color: var(--quiet); }
.warning { color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13.5px; width: 100%; }
th, td { padding: 5px 0 5px 12px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th { font-weight: 600; font-size: 12px; color: var(--quiet); }
th:first-child, td:first-child { text-align: left; padding-left: 0; position: sticky; left: 0; background: var(--paper); }
tbody th { font-size: 13.5px; color: var(--text); font-weight: 400; }
.wins th { font-weight: 600; }
td.best { font-weight: 650; }
td small { color: var(--quiet); font-weight: 400; }
td.words { white-space: normal; text-align: left; min-width: 220px; }
.swatch { display: inline-block; vertical-align: 0; margin-right: 6px; overflow: visible; }
.legend { list-style: none; margin: 4px 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 13px; }
.small-ones { display: grid; grid-template-columns: repeat(auto-fill, minmax(290px, 1fr)); gap: 14px 24px; }
.narrow { display: none; }
@media (max-width: 760px) {
  main { padding: 18px 14px 48px; }
  .wide { display: none; }
  .narrow { display: block; }
}
@media print { .narrow { display: none; } .wide { display: block; } section { break-inside: avoid; } }
`.trim()
