// Compiles the program into dist/: its entry points, and chunks of what they share. One file is loaded many times
// faster than the hundreds that it is made of, and a worker that replaces a killed one loads nothing else first.
import { cp, rm } from 'node:fs/promises'
import { build } from 'esbuild'

await rm('dist', { recursive: true, force: true })
await build({
  entryPoints: [
    'src/main.ts',
    'src/index.ts',
    'src/worker/pick/table-builder.ts',
    'src/primary/log/log-thread.ts',
    'src/primary/statistics/statistics-thread.ts',
    'src/cli/bench/mock-server.ts',
    'src/cli/bench/driver.ts',
  ],
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'linked',
  // Some libraries are CommonJS, whose require() no module has.
  banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
  // They load files of their own by name.
  external: ['jiti', 'piscina', 'yargs', '@opentelemetry/*', 'acme-client', '@peculiar/x509', 'autocannon', 'hdr-histogram-js'],
  logLevel: 'warning',
})

// The dashboard is sent to browsers as it was written.
await cp('src/primary/admin/page', 'dist/page', { recursive: true, filter: (path) => !path.endsWith('.ts') })
