/** weir's public API. Nothing inside src imports this file. */
export type {
  Candidate,
  Connection,
  ConnectionFunction,
  ConnectionOutcome,
  PickFunction,
  Request,
  RequestFunction,
  RequestOutcome,
} from './index-types.ts'
export { defineConfig } from './shared/config/define-config.ts'
export type { ConfigInput } from './shared/config/schema.ts'
