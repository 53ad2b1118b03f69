import type { ConfigInput } from './schema.ts'

/** Names a config's type for editors and the compiler; returns it as it is. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config
}
