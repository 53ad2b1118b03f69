/** What grows, in which steps, and what everything else is meanwhile. */

export type DimensionName = 'connections' | 'servers' | 'routes' | 'workers' | 'body'

export interface Dimension {
  name: DimensionName
  /** For people. */
  question: string
  values: readonly number[]
  unit: string
  /** Whether a gigabyte of bodies is a measure, too. */
  hasBytes: boolean
}

const KIB = 1024
const MIB = 1024 * KIB

export const dimensions: readonly Dimension[] = [
  {
    name: 'connections',
    question: 'What does a request cost when more clients are connected? All connections take turns, at one rate.',
    values: [1, 10, 100, 1_000, 10_000],
    unit: 'open connections',
    hasBytes: false,
  },
  {
    name: 'servers',
    question: 'What does a request cost when there are more servers to choose from?',
    values: [2, 10, 100, 1_000],
    unit: 'servers',
    hasBytes: false,
  },
  {
    name: 'routes',
    question: 'What does a request cost when there are more routes? Requests take every route in turn.',
    values: [1, 100, 10_000],
    unit: 'routes',
    hasBytes: false,
  },
  {
    name: 'workers',
    question: 'What does a request cost when workers share the load? Nothing is pinned to a core.',
    values: [1, 2],
    unit: 'workers',
    hasBytes: false,
  },
  {
    name: 'body',
    question: 'What does a response cost when its body grows?',
    values: [0, KIB, 16 * KIB, 256 * KIB, MIB, 16 * MIB, 64 * MIB],
    unit: 'of body',
    hasBytes: true,
  },
]

/** One start of a peer, and the points that are measured while it runs. */
export interface Stage {
  dimension: DimensionName
  values: readonly number[]
  servers: number
  routes: number
  workers: number
  bodies: 'small' | 'large'
}

const usual = { servers: 2, routes: 0, workers: 1, bodies: 'small' } as const

/** A stage for each point that needs a configuration of its own, one for all points of a dimension that need none. */
export function stagesOf({ name, values }: Dimension): Stage[] {
  switch (name) {
    case 'connections':
      return [{ ...usual, dimension: name, values }]
    case 'body':
      return [{ ...usual, dimension: name, values, bodies: 'large' }]
    case 'servers':
    case 'routes':
    case 'workers':
      return values.map((value) => ({ ...usual, dimension: name, values: [value], [name]: value }))
  }
}

/** `open connections`; after a size, `of body`. */
export function unitOf(name: DimensionName): string {
  return dimensions.find((dimension) => dimension.name === name)?.unit ?? name
}

/** `16 KiB` for bodies, `1,000` else. */
export function valueText(name: DimensionName, value: number): string {
  if (name !== 'body') return value.toLocaleString('en-US')
  if (value < KIB) return String(value)
  return value < MIB ? `${value / KIB} KiB` : `${value / MIB} MiB`
}
