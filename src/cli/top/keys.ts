/** Names of keys from what a terminal sends. Pure. */

const sequences: Readonly<Record<string, string>> = {
  '[A': 'up',
  OA: 'up',
  '[B': 'down',
  OB: 'down',
  '[5~': 'pageup',
  '[6~': 'pagedown',
  '[H': 'home',
  OH: 'home',
  '[1~': 'home',
  '[F': 'end',
  OF: 'end',
  '[4~': 'end',
}

const controls: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0003': 'ctrl-c',
  '\u000c': 'ctrl-l',
  '\u0015': 'ctrl-u',
  '\u001a': 'ctrl-z',
}

const ESCAPE = '\u001b'
// An escape sequence (ECMA-48: CSI parameters and final byte, or SS3), a lone escape, or one character.
const piece = new RegExp(`${ESCAPE}(\\[[0-?]*[ -/]*[@-~]|O[A-Za-z])|.`, 'gsu')

/** `up`, `enter`, `escape`, `ctrl-c`, or the character; keys that mean nothing here are left out. */
export function keysOf(text: string): string[] {
  return [...text.matchAll(piece)].flatMap(([all, sequence]) => {
    if (sequence !== undefined) return sequences[sequence] ?? []
    if (all === ESCAPE) return 'escape'
    return controls[all] ?? (/\p{Cc}/u.test(all) ? [] : all)
  })
}
