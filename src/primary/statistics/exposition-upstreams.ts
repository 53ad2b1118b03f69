import type { MetricName } from '../../shared/metrics.ts'
import type { Writing } from './exposition.ts'
import type { UpstreamFacts } from './facts.ts'

export function writeUpstreams({ facts, board, queueWaits, keeper, writer }: Writing): void {
  const { upstreams } = facts
  const each = (name: MetricName, value: (upstream: UpstreamFacts) => number) => {
    writer.begin(name)
    for (const upstream of upstreams) writer.sample([upstream.name], value(upstream))
  }
  const usable = ({ servers }: UpstreamFacts) => servers.filter(({ takesTraffic }) => takesTraffic).length
  // One row of the board stands for all of an upstream; which one that is changes with its servers.
  const waiting = ({ servers }: UpstreamFacts) => servers.reduce((sum, { slot }) => sum + board.waiting(slot), 0)
  each('weir_upstream_servers', ({ servers }) => servers.length)
  each('weir_upstream_servers_usable', usable)
  each('weir_upstream_queue_length', (upstream) => (usable(upstream) > 0 ? waiting(upstream) : 0))
  each('weir_upstream_held_requests', (upstream) => (usable(upstream) > 0 ? 0 : waiting(upstream)))
  writer.begin('weir_upstream_queue_wait_seconds')
  for (const upstream of upstreams) writer.histogram([upstream.name], queueWaits.of(upstream, keeper))
  each('weir_upstream_panic', ({ isPanicking }) => (isPanicking ? 1 : 0))
  each('weir_breaker_state', ({ breakerPass }) => 1 - breakerPass)
}
