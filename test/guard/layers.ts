/** The layers of weir, bottom first, and what each may import. `architecture.test.ts` holds the code to it. */

export interface Layer {
  /** A folder, which ends in '/', or one file. The longest that fits a path is its layer. */
  at: string
  /** Layers it may import, beside itself. */
  may: readonly string[]
}

const shared = ['base', 'public-types', 'config', 'ipc', 'tls', 'board', 'health'] as const
const stages = ['accept', 'route', 'pick', 'forward', 'observe'] as const
const stage = (name: string): Layer => ({ at: `src/worker/${name}/`, may: [...shared, 'native', 'exchange'] })

export const stageNames: readonly string[] = stages

export const typescriptLayers: Readonly<Record<string, Layer>> = {
  base: { at: 'src/shared/base/', may: [] },
  'public-types': { at: 'src/index-types.ts', may: [] },
  config: { at: 'src/shared/config/', may: ['base', 'public-types'] },
  statistics: { at: 'src/shared/statistics/', may: [] },
  metrics: { at: 'src/shared/metrics.ts', may: [] },
  records: { at: 'src/shared/records/', may: ['base', 'config', 'native'] },
  control: { at: 'src/shared/control/', may: ['base', 'config', 'statistics'] },
  save: { at: 'src/shared/config/save/', may: ['base', 'config', 'control'] },
  // Certificates travel to workers in the form in which the engine takes them.
  ipc: { at: 'src/shared/ipc/', may: ['base', 'config', 'native'] },
  tls: { at: 'src/shared/tls/', may: ['base', 'config', 'native'] },
  native: { at: 'src/native/', may: ['base', 'config', 'ipc'] },
  termination: { at: 'src/shared/termination.ts', may: ['native'] },
  board: { at: 'src/shared/board/', may: ['base', 'native'] },
  health: { at: 'src/shared/health-machine.ts', may: ['base'] },
  exchange: { at: 'src/worker/exchange.ts', may: ['native'] },
  accept: stage('accept'),
  route: stage('route'),
  pick: stage('pick'),
  forward: stage('forward'),
  observe: stage('observe'),
  worker: { at: 'src/worker/', may: [...shared, 'records', 'native', 'exchange', ...stages] },
  primary: { at: 'src/primary/', may: [...shared, 'control', 'save', 'records', 'native', 'statistics', 'metrics', 'termination'] },
  // `weir explain` asks the worker's own router, so that it cannot tell another story.
  cli: { at: 'src/cli/', may: [...shared, 'control', 'records', 'native', 'primary', 'route', 'statistics', 'metrics', 'termination'] },
  main: { at: 'src/main.ts', may: ['cli', 'worker'] },
  index: { at: 'src/index.ts', may: ['public-types', 'config'] },
}

/** Includes below native/. Nothing may include binding, and only the engine knows both http and tcp. */
export const nativeLayers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  stats: ['base'],
  // What is kept of ended exchanges, and what reads it elsewhere.
  observe: ['base', 'stats'],
  loop: ['base', 'stats', 'observe'],
  tls: ['base', 'stats', 'observe', 'loop'],
  upstream: ['base', 'stats', 'observe', 'loop', 'tls'],
  tcp: ['base', 'stats', 'observe', 'loop', 'tls', 'upstream'],
  http: ['base', 'stats', 'observe', 'loop', 'upstream', 'tls'],
  engine: ['base', 'stats', 'observe', 'loop', 'tcp', 'tls', 'upstream', 'http'],
  binding: ['base', 'stats', 'observe', 'loop', 'tcp', 'tls', 'upstream', 'http', 'engine'],
}

/** Files that load src/index.ts all the same, with the reason. */
export const loadsIndex: Readonly<Record<string, string>> = {
  'src/shared/config/read-module.ts': "a config's `import … from 'weir'` gets the package that runs, not a second copy",
}
