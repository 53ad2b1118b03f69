/** The command line of bench/scale.ts. Whatever is wrong with it ends the process with 2 and a sentence. */
import { parseArgs } from 'node:util'
import { haproxy } from '../peers/haproxy.ts'
import { nginx } from '../peers/nginx.ts'
import type { PeerKind } from '../peers/peer.ts'
import { weir } from '../peers/weir.ts'
import { type Dimension, dimensions } from './dimensions.ts'

export interface ScaleOptions {
  peers: PeerKind[]
  dimensions: Dimension[]
  rounds: number
  seconds: number
  minutes: number
}

const kinds = [weir, nginx, haproxy]
const help = `usage: scale.ts [--quick] [--peers ${namesOf(kinds)}] [--only ${namesOf(dimensions)}]
                [--rounds 3] [--seconds 0.7] [--minutes 5]
--quick is one round of weir alone within a minute; --seconds is the length of one point, --minutes when no other one begins`

export function readScaleOptions(words: string[]): ScaleOptions {
  const values = parsed(words)
  if (values.help) {
    console.log(help)
    return process.exit(0)
  }
  const quick = values.quick
  return {
    peers: named(kinds, values.peers ?? (quick ? 'weir' : namesOf(kinds)), 'peer'),
    dimensions: named(dimensions, values.only ?? namesOf(dimensions), 'dimension'),
    rounds: positive('rounds', values.rounds ?? (quick ? '1' : '3'), true),
    seconds: positive('seconds', values.seconds ?? (quick ? '0.3' : '0.7')),
    minutes: positive('minutes', values.minutes ?? (quick ? '1' : '5')),
  }
}

function parsed(words: string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  try {
    const options = { peers: text, only: text, rounds: text, seconds: text, minutes: text, quick: flag, help: flag }
    return parseArgs({ args: words, options }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function namesOf(all: readonly { name: string }[]): string {
  return all.map(({ name }) => name).join(',')
}

function named<T extends { name: string }>(all: readonly T[], names: string, what: string): T[] {
  return names.split(',').map((name) => all.find((one) => one.name === name) ?? refuse(`unknown ${what}: ${name}`))
}

function positive(name: string, text: string, isWhole = false): number {
  const value = Number(text)
  const isGood = Number.isFinite(value) && value > 0 && (!isWhole || Number.isInteger(value))
  return isGood ? value : refuse(`--${name} needs a ${isWhole ? 'whole ' : ''}number above 0, not ${text}`)
}

function refuse(sentence: string): never {
  console.error(`${sentence}\n${help}`)
  return process.exit(2)
}
