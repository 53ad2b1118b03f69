/** How much room text takes on a terminal. Pure. */

const none = /^[\p{Mn}\p{Me}]$/u
// East Asian Width W and F of Unicode's UAX #11, in blocks, and the emoji.
const wide =
  /^[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u

/** Columns that a text takes which holds no control characters. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

/** As much of it as fits into so many columns; what is cut off leaves a sign. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let [kept, used] = ['', 0]
  for (const character of text) {
    used += columnsOf(character)
    if (used > width - 1) break
    kept += character
  }
  return width < 1 ? '' : `${kept}…`
}

/** Cut or filled to exactly so many columns. */
export function fitTo(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shown = cutTo(text, width)
  const space = ' '.repeat(Math.max(0, width - widthOf(shown)))
  return align === 'left' ? shown + space : space + shown
}

/** In lines of at most so many columns, broken between words where that is possible. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && widthOf(longer) > width) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line].map((each) => cutTo(each, width))
}

function columnsOf(character: string): number {
  if (character < '\u0300') return 1
  if (none.test(character)) return 0
  return wide.test(character) ? 2 : 1
}
