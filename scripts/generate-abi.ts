/** Prints native/base/abi.h from src/native/abi.ts: one `constexpr` per number, one namespace per list. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { abi } from '../src/native/abi.ts'

const snake = (name: string) => name.replace(/[A-Z]+/g, (m) => `_${m.toLowerCase()}`)

/** C++ text of the whole header. */
export function abiHeader(): string {
  const lines = [
    '// Generated from src/native/abi.ts by scripts/generate-abi.ts. Do not edit.',
    '#pragma once',
    '',
    'namespace weir::abi {',
    '',
  ]
  for (const [name, value] of Object.entries(abi)) {
    if (typeof value === 'number') lines.push(`constexpr int ${snake(name)} = ${value};`, '')
    else if (name !== 'method') {
      lines.push(`namespace ${snake(name)} {`)
      for (const [key, number] of Object.entries(value)) lines.push(`constexpr int ${snake(key)}${key === 'for' ? '_' : ''} = ${number};`)
      lines.push(`}  // namespace ${snake(name)}`, '')
    }
  }
  return `${lines.join('\n')}\n}  // namespace weir::abi\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../native/base/abi.h', import.meta.url), abiHeader())
}
