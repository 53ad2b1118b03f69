import { execFile } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import type { CommandModule } from 'yargs'
import { openAuthority, rootCertificateFile } from '../primary/tls/internal-ca/authority.ts'
import { storageOf } from '../shared/config/tls-storage.ts'
import type { CommandContext } from './control-command.ts'
import { thisMachine } from './trust/this-machine.ts'
import { shellText, type TrustedAuthority, type TrustStep, trustSteps } from './trust/trust-steps.ts'

interface TrustArguments {
  storage: string | undefined
  remove: boolean
  json: boolean
}

interface Done {
  step: TrustStep
  /** null: it worked. */
  failure: string | null
}

const run = promisify(execFile)

/** `weir trust`: lets this machine believe certificates of `tls: { internal: true }`. Exit code 1 when something is left to do. */
export const trustCommand: CommandModule<object, TrustArguments> = {
  command: 'trust',
  describe: 'Let this machine believe the authority for development (tls: internal)',
  builder: (yargs) =>
    yargs
      .option('storage', { type: 'string', describe: 'Folder of the authority, as in the config; the usual one when not given' })
      .option('remove', { type: 'boolean', default: false, describe: 'Believe it no longer' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
      .example('weir trust', 'In the store of the system, and in those of browsers')
      .example('sudo weir trust --storage ~/.local/state/weir/internal-ca', 'With the rights that the store of the system needs'),
  handler: async (args) => {
    const { storage, remove, json, terminal } = args as unknown as TrustArguments & CommandContext
    const folder = storage === undefined ? storageOf('internal-ca', terminal.env) : resolve(terminal.cwd, storage)
    // What goes away must not be made first.
    if (!remove) await openAuthority(folder, () => undefined)
    const authority = authorityIn(folder)
    const isRoot = terminal.uid === 0
    const all = trustSteps(thisMachine(terminal.env), authority, remove)
    const done: Done[] = []
    for (const step of all.filter(({ needsRoot }) => isRoot || !needsRoot)) done.push({ step, failure: await failureOf(step) })
    const left = all.filter((step) => !done.some((one) => one.step === step && one.failure === null))
    if (json) terminal.out(`${JSON.stringify(envelope(authority, done, left))}\n`)
    else print(terminal, { done, left, remove, authority, isSystemKnown: all.some(({ store }) => store === 'system') })
    terminal.setExit(left.length === 0 && all.length > 0 ? 0 : 1)
  },
}

/** @throws when the folder holds none */
function authorityIn(folder: string): TrustedAuthority {
  const file = rootCertificateFile(folder)
  try {
    const { raw } = new X509Certificate(readFileSync(file))
    // By its content, so that the authorities of several users do not get into each other's way.
    return { file, name: `weir-${createHash('sha256').update(raw).digest('hex').slice(0, 12)}` }
  } catch (cause) {
    throw new Error(`there is no authority in ${folder}: name its folder with --storage`, { cause })
  }
}

async function failureOf({ command: [program = '', ...args] }: TrustStep): Promise<string | null> {
  try {
    await run(program, args, { timeout: 60_000 })
    return null
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string }
    return (stderr || message).trim().split('\n').slice(-1)[0] ?? message
  }
}

interface Outcome {
  done: readonly Done[]
  left: readonly TrustStep[]
  remove: boolean
  authority: TrustedAuthority
  isSystemKnown: boolean
}

function print({ out, err }: CommandContext['terminal'], { done, left, remove, authority, isSystemKnown }: Outcome): void {
  const stores = new Set(done.map(({ step }) => step.store).filter((store) => !left.some((step) => step.store === store)))
  for (const store of stores) out(`${authority.file} is ${remove ? 'removed from' : 'believed by'} ${named(store)}\n`)
  for (const { step, failure } of done) if (failure !== null) err(`weir: ${shellText(step)}: ${failure}\n`)
  if (!isSystemKnown) {
    const what = remove ? 'the authority has to be removed by hand' : `add ${authority.file} by hand`
    err(`weir: neither update-ca-certificates nor p11-kit's trust is here to change the system's store: ${what}\n`)
  }
  if (left.length > 0) err(`weir: what is left to do:\n${left.map((step) => `  ${shellText(step)}\n`).join('')}`)
}

function named(store: string): string {
  return store === 'system' ? 'the system' : `the browser with ${store.replace(/^sql:/, '')}`
}

function envelope(authority: TrustedAuthority, done: readonly Done[], left: readonly TrustStep[]): Record<string, unknown> {
  const data = {
    certificate: authority.file,
    done: done.map(({ step, failure }) => ({ command: step.command, error: failure })),
    left: left.map(shellText),
  }
  return { schema: 'weir.trust/1', generation: null, time: new Date().toISOString(), data }
}
