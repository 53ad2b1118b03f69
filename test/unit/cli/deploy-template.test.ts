import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  BadTemplate,
  commandEnvironment,
  factsOf,
  fillTemplate,
  parseTemplate,
  shellQuote,
} from '../../../src/cli/deploy/command-template.ts'

const facts = factsOf('api', 'a', '10.0.0.1:9001')
const fill = (template: string, of = facts) => fillTemplate(parseTemplate(template), of)
const named = (name: string) => ({ ...facts, name })

/** What a real shell makes of a filled template. */
function shell(template: string, of = facts): string {
  return execFileSync('/bin/sh', ['-c', fill(template, of)], { encoding: 'utf8', env: { ...process.env, ...commandEnvironment(of) } })
}

test('a command gets the facts of a server, each as one word', () => {
  assert.equal(fill('ssh {host} restart {name}'), "ssh '10.0.0.1' restart 'a'")
  assert.equal(fill('{upstream} {address} {port}'), "'api' '10.0.0.1:9001' '9001'")
})

test('an IPv6 host stands without brackets, and a unix socket has its path for a host', () => {
  assert.deepEqual(factsOf('api', 'x', '[::1]:80'), { address: '[::1]:80', host: '::1', port: '80', name: 'x', upstream: 'api' })
  assert.deepEqual(factsOf('api', 'x', 'unix:/run/a:1'), {
    address: 'unix:/run/a:1',
    host: '/run/a:1',
    port: '',
    name: 'x',
    upstream: 'api',
  })
})

test('double braces are braces, and those of a variable too', () => {
  assert.equal(fill("awk '{{print $1}}'"), "awk '{print $1}'")
  assert.equal(fill('echo "${{HOME}}{port}" {port}'), `echo "\${HOME}9001" '9001'`)
  assert.equal(fill('echo ${{HOME}} {{{name}}}'), "echo ${HOME} {'a'}")
})

for (const [template, why] of [
  ['ssh {hots}', /\{hots\} is no placeholder: there are \{address\}/],
  ['echo ${HOME}', /for a variable of the shell write \$\{\{HOME\}\}/],
  ['echo ${name}', /for a variable of the shell write \$\{\{name\}\}/],
  ['f() { ls; }', /no placeholder/],
  ['echo {', /write \{\{/],
  ['echo }', /write \}\}/],
  [' ', /empty/],
  ['a\0b', /NUL/],
] as const) {
  test(`the template ${JSON.stringify(template)} is refused`, () => {
    assert.throws(
      () => parseTemplate(template),
      (error) => error instanceof BadTemplate && error.exit === 2 && why.test(error.message),
    )
  })
}

const hostile = [
  'a;touch pwned',
  'a$(touch pwned)',
  'a`touch pwned`',
  'a"touch pwned"',
  "a'touch pwned'",
  "';touch pwned;'",
  '";touch pwned;"',
  'a\ntouch pwned\n',
  'a&&touch pwned|x',
  '$HOME*?[a]~{b,c}',
  '\\',
  "\\'",
  '#',
  '!!',
]

for (const value of hostile) {
  test(`the shell reads nothing in the name ${JSON.stringify(value)}`, () => {
    assert.equal(shell("printf '%s|' {name} x{name}y", named(value)), `${value}|x${value}y|`)
    assert.equal(shell('printf %s "$WEIR_SERVER_NAME"', named(value)), value)
    assert.equal(execFileSync('/bin/sh', ['-c', `printf %s ${shellQuote(value)}`], { encoding: 'utf8' }), value)
  })
}

// Each of these would hand the value to a shell a second time, or end the quotes that it stands in.
const places = [
  'echo "{name}"',
  "echo '{name}'",
  'echo "$(echo {name})"',
  'echo `echo {name}`',
  'echo $(echo "{name}")',
  'echo \\{name}',
  'cat <<END\n{name}\nEND',
  "# don't\necho {name}",
  'sh -c "echo {name}"',
  "echo $'{name}'",
  'echo ${{X:-{name}}}',
  'echo "${{HOME}} {name}"',
]

for (const place of places) {
  test(`a name with shell characters is refused in ${JSON.stringify(place)}, and a plain one is not`, () => {
    assert.match(fill(place, named('a-1.b')), /a-1\.b/)
    for (const value of hostile) assert.throws(() => fill(place, named(value)), /would read|option/)
  })
}

test('whatever the place, no hostile name runs a command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-inject-'))
  try {
    for (const place of [...places, 'echo {name}', 'echo x{name}', 'echo "a" {name} \'b\'', 'echo "it\'s" {name}', 'echo \\" {name}'])
      for (const value of hostile) {
        try {
          execFileSync('/bin/sh', ['-c', fill(place, named(value))], { cwd: folder, stdio: 'ignore' })
        } catch {
          // Refused, or no good command: both are well.
        }
        assert.ok(!existsSync(join(folder, 'pwned')), `${place} with ${value}`)
      }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a value that looks like an option is refused where a word begins', () => {
  assert.throws(() => fill('ssh {name} x', named('-oProxyCommand=x')), /option/)
  assert.throws(() => fill('ssh "{name}" x', named('-oProxyCommand=x')), /option/)
  assert.equal(fill('run --name={name}', named('-x')), "run --name='-x'")
})
