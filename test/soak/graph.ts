/** Lines over reloads as an SVG picture: memory above, descriptors below. */
interface Point {
  reload: number
  privateMiB: number[]
  descriptors: number[]
}

const WIDTH = 900
const PANEL = 220
const LEFT = 60
const COLOURS = ['#1f5fa8', '#b3541e', '#3d7a3d']

export function drawGraph(samples: readonly Point[], names: readonly string[]): string {
  const panels = [
    panel(samples, names, { of: 'privateMiB', title: 'private memory, MiB', top: 30 }),
    panel(samples, names, { of: 'descriptors', title: 'open descriptors', top: 60 + PANEL }),
  ]
  const height = 2 * PANEL + 110
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="white"/>
${panels.join('\n')}
<text x="${LEFT}" y="${height - 12}">reloads: ${samples.at(-1)?.reload ?? 0}</text>
</svg>
`
}

function panel(
  samples: readonly Point[],
  names: readonly string[],
  { of, title, top }: { of: 'privateMiB' | 'descriptors'; title: string; top: number },
) {
  const most = Math.max(...samples.flatMap((one) => one[of])) * 1.1
  const x = (i: number) => LEFT + (i / Math.max(1, samples.length - 1)) * (WIDTH - LEFT - 20)
  const y = (value: number) => top + PANEL - (value / most) * PANEL
  const lines = names.map((name, n) => {
    const points = samples.map((one, i) => `${x(i).toFixed(1)},${y(one[of][n] as number).toFixed(1)}`).join(' ')
    const label = `<text x="${LEFT + 170 + n * 90}" y="${top - 8}" fill="${COLOURS[n]}">${name}</text>`
    return `<polyline points="${points}" fill="none" stroke="${COLOURS[n]}" stroke-width="1.5"/>${label}`
  })
  const marks = [0, 0.5, 1].map((share) => {
    const value = (most / 1.1) * share
    return `<text x="4" y="${y(value) + 4}">${value.toFixed(0)}</text><line x1="${LEFT}" x2="${WIDTH - 20}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>`
  })
  return `<text x="${LEFT}" y="${top - 8}">${title}</text>\n${marks.join('\n')}\n${lines.join('\n')}`
}
