/** The command line of bench/suite.ts. Whatever is wrong with it ends the process with 2 and a sentence. */
import { parseArgs } from 'node:util'
import { type LayerName, layers, type Stage, suites } from '../layers.ts'
import type { PeerKind } from '../peers/peer.ts'
import type { Case } from './case.ts'

/** One case with those who are measured in it. */
export interface Work {
  layer: LayerName
  one: Case
  peers: PeerKind[]
}

export interface Options {
  suite: string
  work: Work[]
  rounds: number
  seconds: number
  full: boolean
  /** The record of a run that was interrupted; null begins a new one. */
  resume: string | null
  /** Whether docs/performance.md and the tables of the README are written from the result. */
  pages: boolean
}

const help = `usage: suite.ts [${Object.keys(suites).join('|')}] [--rounds 3] [--seconds 4] [--peers nginx,haproxy,weir] [--case a,b] [--full]
                [--tls] [--resume FILE] [--pages]
${Object.entries(layers)
  .map(([name, layer]) => `${name} cases: ${namesOf(layer.cases)}\n${name} peers: ${namesOf(layer.peers)}`)
  .join('\n')}
--tls adds the cases over TLS, --resume goes on with the record of an interrupted run, --pages writes docs/performance.md`

export function readOptions(words: string[]): Options {
  const { values, positionals } = parsed(words)
  if (values.help) {
    console.log(help)
    process.exit(0)
  }
  const suite = positionals[0] ?? 'http'
  const stages = suites[suite]
  if (stages === undefined || positionals.length > 1) return refuse(`${Object.keys(suites).join(', ')}, not ${positionals.join(' ')}`)
  return {
    suite,
    work: workOf(values.tls ? [...new Set([...stages, ...(suites['tls'] ?? [])])] : stages, values.case, values.peers),
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    full: values.full,
    resume: values.resume ?? null,
    pages: values.pages,
  }
}

function parsed(words: string[]) {
  try {
    return parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '4' },
        peers: { type: 'string' },
        case: { type: 'string' },
        full: { type: 'boolean', default: false },
        tls: { type: 'boolean', default: false },
        resume: { type: 'string' },
        pages: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

/** Cases that are named need not be among the suite's own, only on one of its layers. A peer is measured where its layer knows it. */
function workOf(stages: Stage[], cases: string | undefined, peers: string | undefined): Work[] {
  const layerNames = [...new Set(stages.map((stage) => stage.layer))]
  const wanted = cases?.split(',')
  const known = layerNames.flatMap((name) => layers[name].cases.map((one) => one.name))
  for (const name of wanted ?? []) if (!known.includes(name)) refuse(`unknown case: ${name}`)
  const kinds = layerNames.flatMap((name) => layers[name].peers.map((kind) => kind.name))
  for (const name of peers?.split(',') ?? []) if (!kinds.includes(name)) refuse(`unknown peer: ${name}`)
  const all = stages.flatMap((stage) => stage.cases.map((one) => workFor(stage.layer, one, peers?.split(',') ?? stage.peers)))
  if (wanted === undefined) return all.filter((work) => work.peers.length > 0)
  return wanted.map((name) => {
    const own = all.find((work) => work.one.name === name)
    const layer = layerNames.find((each) => layers[each].cases.some((one) => one.name === name)) ?? 'http'
    const one = layers[layer].cases.find((each) => each.name === name) as Case
    const usual = stages.find((stage) => stage.layer === layer)?.peers ?? []
    return own ?? workFor(layer, one, peers?.split(',') ?? usual)
  })
}

function workFor(layer: LayerName, one: Case, names: string[]): Work {
  return { layer, one, peers: names.flatMap((name) => layers[layer].peers.filter((kind) => kind.name === name)) }
}

function namesOf(all: { name: string }[]): string {
  return all.map((one) => one.name).join(' ')
}

function positive(name: string, text: string): number {
  const value = Number(text)
  return Number.isInteger(value) && value > 0 ? value : refuse(`--${name} needs a whole number above 0, not ${text}`)
}

function refuse(sentence: string): never {
  console.error(`${sentence}\n${help}`)
  return process.exit(2)
}
