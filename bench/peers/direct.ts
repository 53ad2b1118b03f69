/** No proxy: what servers and clients could do at most. Shows whether they were the limit; nobody is compared with it. */
import type { PeerKind } from './peer.ts'

export const direct: PeerKind = {
  name: 'direct',
  start: async ({ servers }) => ({ port: Number(servers[0]?.split(':')[1]), pids: () => [], stop: async () => {} }),
}
