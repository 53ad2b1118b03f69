/** Writes docs/reference/config.md and config.schema.json from the schema: `node --import tsx scripts/generate-config-docs.ts`. */
import { writeFileSync } from 'node:fs'
import { configMarkdown, jsonSchema } from '../src/shared/config/describe.ts'

const reference = new URL('../docs/reference/', import.meta.url)

writeFileSync(new URL('config.md', reference), configMarkdown())
writeFileSync(new URL('config.schema.json', reference), `${JSON.stringify(jsonSchema(), null, 2)}\n`)
