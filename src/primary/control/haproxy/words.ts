/** Splits a line into commands at `;`, and each into its words. A backslash takes the next character as it is. */
export function commandsOf(line: string): string[][] {
  const commands: string[][] = [[]]
  let word: string | null = null
  for (let i = 0; i < line.length; i++) {
    const character = line[i] as string
    const isPlain = character === '\\' && i + 1 < line.length
    if (!isPlain && (character === ';' || character === ' ' || character === '\t')) {
      if (word !== null) commands.at(-1)?.push(word)
      word = null
      if (character === ';') commands.push([])
    } else word = (word ?? '') + (isPlain ? line[++i] : character)
  }
  if (word !== null) commands.at(-1)?.push(word)
  return commands
}
