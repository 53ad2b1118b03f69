import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { checkConfig } from './lib/check-config.ts'
import { filesIn, root, textOf } from './lib/sources.ts'

const readme = textOf('README.md')
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['docs', 'examples', 'native', 'src', 'bench', 'test/wire'].flatMap((folder) => filesIn(folder, /\.md$/)),
]

/** Code blocks of a language, without their fences. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1] as string)
}

for (const [language, name] of [
  ['yaml', 'weir.yaml'],
  ['ts', 'weir.config.ts'],
] as const) {
  test(`the ${name} of the README passes weir check`, async (t) => {
    const found = blocks(readme, language)
    assert.ok(found.length > 0)
    const folder = mkdtempSync(join(tmpdir(), 'weir-readme-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    for (const block of found) {
      writeFileSync(join(folder, name), block)
      const { code, out, err } = await checkConfig(join(folder, name))
      assert.deepEqual({ code, err }, { code: 0, err: '' }, out)
    }
  })
}

test('the config of the README has about twenty lines', () => {
  assert.ok((blocks(readme, 'yaml')[0] ?? '').trim().split('\n').length <= 22)
})

test('every make target that a page names exists', () => {
  const known = execFileSync('make', ['help'], { cwd: root, encoding: 'utf8' })
  const named = pages.flatMap((page) =>
    [...textOf(page).matchAll(/(?:^|`)make ([a-z][a-z-]*)/gm)].map((match) => ({ page, target: match[1] as string })),
  )
  assert.ok(named.length > 5)
  assert.deepEqual(
    named.filter(({ target }) => !new RegExp(`^ {2}${target} `, 'm').test(known)),
    [],
  )
})

test('every command that a page shows exists', () => {
  const commands = textOf('src/cli/cli.ts')
  const shown = pages.flatMap((page) =>
    blocks(textOf(page), 'sh').flatMap((block) =>
      [...block.matchAll(/^(?:weir|node dist\/main\.js) ([a-z]+)/gm)].map((match) => match[1] as string),
    ),
  )
  assert.ok(shown.length > 2)
  assert.deepEqual(
    shown.filter((word) => !commands.includes(`${word}Command`)),
    [],
  )
})

test('every link inside the checkout leads to a file', () => {
  const broken = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\(([^)\s#:]+)(?:#[^)]*)?\)/g)]
      .filter((match) => !existsSync(join(root, dirname(page), match[1] as string)))
      .map((match) => `${page}: ${match[1]}`),
  )
  assert.deepEqual(broken, [])
})

test('every source file that a page names exists', () => {
  const named = pages.flatMap((page) =>
    [...textOf(page).matchAll(/`((?:src|native|test|bench|scripts|docs|examples)\/[\w./-]*[\w/])`/g)].map((match) => ({
      page,
      path: match[1] as string,
    })),
  )
  assert.deepEqual(
    named.filter(({ path }) => !existsSync(join(root, path)) && !path.startsWith('native/build')),
    [],
  )
})
