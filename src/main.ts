#!/usr/bin/env node
/** Process entry: a command, or a worker that the primary forked. Nothing else. */
import cluster from 'node:cluster'
import { requireDescriptors } from './cli/descriptors.ts'

if (cluster.isWorker) {
  const { runWorker } = await import('./worker/worker.ts')
  runWorker()
} else {
  // Before anything else is loaded: that alone needs more descriptors than a very low limit allows.
  try {
    requireDescriptors()
  } catch (error) {
    process.stderr.write(`weir: ${(error as Error).message}\n`)
    process.exit(1)
  }
  const { runCommandLine } = await import('./cli/cli.ts')
  runCommandLine(process.argv).catch((error: unknown) => {
    process.stderr.write(`weir: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  })
}
