import { type Static, Type } from 'typebox'
import { errorPages } from './schema/error-pages.ts'
import { listenerSchema } from './schema/listener.ts'
import { logSchema, tracing } from './schema/log.ts'
import { matchSchema } from './schema/match.ts'
import { type Decoded, mapOf, option, optional, required, section, text } from './schema/option.ts'
import { processOptions } from './schema/process.ts'
import { upstreamSchema } from './schema/upstream.ts'

/** THE schema: type, check, default, text and reload class of every option. All else is made from it. */
export const configSchema = section({
  workers: option(Type.Union([Type.Literal('auto'), Type.Integer({ minimum: 1, maximum: 256 })]), {
    text: 'Worker processes; `auto` is one per core.',
    reload: 'restart',
    default: 'auto',
  }),
  listeners: required(mapOf('name', listenerSchema, { atLeastOne: true }), {
    text: 'The addresses that weir accepts on, by name.',
    reload: 'live',
  }),
  upstreams: option(mapOf('name', upstreamSchema), { text: 'Groups of servers, by name.', reload: 'live', default: {} }),
  zone: optional(text('name'), {
    text: 'Where this balancer is: servers of the same `zone` are preferred while they have capacity.',
    reload: 'live',
  }),
  errorPages,
  log: option(logSchema, { text: 'Logs.', reload: 'live', default: {} }),
  tracing,
  ...processOptions,
})

/** Schemas that others refer to as `#/$defs/name`. */
export const definitions = { match: matchSchema }

/** A config as it is written: what `defineConfig` takes. */
export type ConfigInput = Static<typeof configSchema>

/** A config after the check: parsed, defaults filled in, in the order and shape of the file. */
export type CheckedConfig = Decoded<typeof configSchema>
