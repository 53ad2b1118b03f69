#!/usr/bin/env node
/** Process entry: a command, or a worker that the primary forked. Nothing else. */
import cluster from 'node:cluster'

if (cluster.isWorker) {
  const { runWorker } = await import('./worker/worker.ts')
  runWorker()
} else {
  const { runCommandLine } = await import('./cli/cli.ts')
  runCommandLine(process.argv).catch((error: unknown) => {
    process.stderr.write(`weir: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  })
}
