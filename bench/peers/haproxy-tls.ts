/** HAProxy that ends TLS, as a good operator would run it; everything else as in haproxy.ts. */
import { bestHaproxy, type HaproxyTuning, haproxyWith } from './haproxy.ts'
import type { PeerKind } from './peer.ts'

/** Versions, ciphers and curve that clients of today get; those of the benchmark offer one of each. Tickets are on by default. */
const modern = [
  'ssl-min-ver TLSv1.2',
  'ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
  'ciphersuites TLS_AES_128_GCM_SHA256',
  'curves X25519',
  // Without it HAProxy 2.6 answers no offer, and later versions add h2 on their own.
  'alpn http/1.1',
].join(' ')

// Each entry takes 200 bytes; the default is 20000. 0 switches the cache off: tickets are all there is then.
const cache = 'tune.ssl.cachesize 50000\n  tune.ssl.lifetime 3600'
const noCache = 'tune.ssl.cachesize 0\n  tune.ssl.lifetime 3600'

/**
 * The fastest of what was tried, in short rounds on a busy machine, so coarse: measure again on a quiet one. CPU us of a full TLS 1.3
 * handshake: tickets only 596, with a cache as well 635; of a resumed one 451 and 502. 1 MiB bodies, CPU ms per GB, two runs: 64k buffers 1062 and 937
 * (±15 %), 32k 895 and 1000, so undecided; in the first run also default 1297, small records first 1316.
 */
const best: HaproxyTuning = {
  ...bestHaproxy,
  global: { small: noCache, large: `${noCache}\n  ${bestHaproxy.global.large}` },
  tls: modern,
}

/** The others; `--peers haproxy,haproxy+session-cache` measures one against the choice above. */
const alternatives: Record<string, Partial<HaproxyTuning>> = {
  'session-cache': { global: { small: cache, large: `${cache}\n  ${bestHaproxy.global.large}` } },
  'cache-only': { global: always(cache), tls: `${modern} no-tls-tickets` },
  'default-buffers': { global: always(noCache) },
  'buffers-32k': { global: always(`${noCache}\n  tune.bufsize 32768`) },
  'buffers-64k': { global: always(`${noCache}\n  tune.bufsize 65536`) },
  // Records of one packet each, then of 16 KiB once the connection has sent for a while.
  'small-records-first': { global: always(`${noCache}\n  tune.ssl.maxrecord 1400`) },
}

export const haproxyTls = haproxyWith('haproxy', best)
export const haproxyTlsAlternatives: PeerKind[] = Object.entries(alternatives).map(([name, change]) =>
  haproxyWith(`haproxy+${name}`, { ...best, ...change }),
)

function always(global: string): HaproxyTuning['global'] {
  return { small: global, large: global }
}
