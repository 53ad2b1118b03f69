/** One scope for a whole test file, for balancers and servers that its tests share. */
import { after } from 'node:test'
import type { Scope } from './wait.ts'

const cleanups: (() => void | Promise<void>)[] = []

after(async () => {
  const errors: unknown[] = []
  for (const cleanup of cleanups.reverse()) {
    try {
      await cleanup()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
})

/** Cleans up after the last test of the file, last registered first. */
export const file: Scope = { after: (cleanup) => void cleanups.push(cleanup) }
