/** What is compared: every way in which a server can be picked. */
import type { BalanceName, HashConfig } from '../../shared/config/model.ts'
import { UsageError } from '../usage-error.ts'

export interface Policy {
  /** On the command line, in paths and in configs. */
  id: string
  /** For people, as in `balance`. */
  name: string
  balance: BalanceName
  /** Without the key, which the load has. */
  hash: Pick<HashConfig, 'table' | 'boundedLoad'> | null
}

const plain = (balance: BalanceName): Policy => ({ id: balance, name: balance, balance, hash: null })
const hashed = (table: HashConfig['table'], boundedLoad: number | null = null): Policy => ({
  id: `${table}${boundedLoad === null ? '' : '-bounded'}`,
  name: `consistent-hash (${table}${boundedLoad === null ? '' : `, boundedLoad ${boundedLoad}`})`,
  balance: 'consistent-hash',
  hash: { table, boundedLoad },
})

const BOUND = 1.25

export const policies: readonly Policy[] = [
  plain('power-of-two'),
  plain('least-connections'),
  plain('least-time'),
  plain('round-robin'),
  plain('random'),
  plain('first'),
  plain('source-hash'),
  hashed('ring'),
  hashed('maglev'),
  hashed('rendezvous'),
  hashed('ring', BOUND),
  hashed('maglev', BOUND),
  hashed('rendezvous', BOUND),
]

/** Without `--policy`. */
const usual: Record<'plain' | 'caches', readonly string[]> = {
  plain: ['power-of-two', 'least-connections', 'least-time', 'round-robin', 'random', 'first', 'source-hash', 'ring'],
  caches: ['power-of-two', 'least-connections', 'least-time', 'round-robin', 'ring', 'maglev', 'rendezvous', 'ring-bounded'],
}
const quick: Record<'plain' | 'caches', readonly string[]> = {
  plain: ['power-of-two', 'least-connections', 'least-time', 'round-robin'],
  caches: ['power-of-two', 'least-connections', 'ring', 'ring-bounded'],
}

/** Those that are compared where nobody has said which. */
export function usualPolicies({ hasCaches, isQuick }: { hasCaches: boolean; isQuick: boolean }): Policy[] {
  const ids = (isQuick ? quick : usual)[hasCaches ? 'caches' : 'plain']
  return policies.filter(({ id }) => ids.includes(id))
}

/** By name: an id, or `consistent-hash` for all of its tables. @throws UsageError */
export function policiesNamed(names: readonly string[]): Policy[] {
  const found = names.flatMap((name) => {
    const fitting = policies.filter(({ id, balance }) => id === name || balance === name)
    if (fitting.length > 0) return fitting
    throw new UsageError(`no policy is called "${name}": there are consistent-hash, ${policies.map(({ id }) => id).join(', ')}`)
  })
  return policies.filter((policy) => found.includes(policy))
}

/** That of an upstream of a config. What it hashes is not known here: each client has a key. */
export function configuredPolicy({ balance, hash }: { balance: BalanceName; hash: HashConfig | null }): Policy {
  if (balance !== 'consistent-hash' || hash === null) return plain(balance)
  return hashed(hash.table, hash.boundedLoad)
}
