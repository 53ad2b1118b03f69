/** Reads what a scraper would: strict about the form, so that a name that breaks out of its label is seen. */
import assert from 'node:assert/strict'

export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

export interface Read {
  /** In text by the whole name of the metric, in OpenMetrics by that of the family. */
  families: Map<string, { type: string; samples: Sample[] }>
  /** Of the one sample with these labels. */
  value(name: string, labels?: Record<string, string>): number
  /** Cumulative counts by `le`. */
  buckets(name: string, labels: Record<string, string>): Map<string, number>
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/

/** @throws where a line is neither a comment nor a sample, or a sample belongs to no family */
export function parseExposition(text: string): Read {
  assert.ok(text.endsWith('\n'))
  const families: Read['families'] = new Map()
  let family = ''
  for (const one of text.slice(0, -1).split('\n')) {
    const type = /^# TYPE (\S+) (\w+)$/.exec(one)
    if (type !== null) {
      family = type[1] as string
      assert.ok(!families.has(family), `${family} comes twice`)
      families.set(family, { type: type[2] as string, samples: [] })
    } else if (!one.startsWith('# ')) {
      const sample = sampleOf(one)
      assert.ok(sample.name.startsWith(family), `${sample.name} stands among ${family}`)
      families.get(family)?.samples.push(sample)
    }
  }
  const all = [...families.values()].flatMap(({ samples }) => samples)
  const matching = (name: string, labels: Record<string, string>) =>
    all.filter((sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
  return {
    families,
    value(name, labels = {}) {
      const found = matching(name, labels)
      assert.equal(found.length, 1, `${found.length} samples of ${name} ${JSON.stringify(labels)}`)
      return found[0]?.value as number
    },
    buckets: (name, labels) => new Map(matching(`${name}_bucket`, labels).map((sample) => [sample.labels['le'] as string, sample.value])),
  }
}

function sampleOf(text: string): Sample {
  const match = line.exec(text)
  assert.ok(match, `no sample: ${text}`)
  const labels: Record<string, string> = {}
  for (const pair of (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
    labels[pair[1] as string] = (pair[2] as string).replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
  return { name: match[1] as string, labels, value: Number(match[3]) }
}
