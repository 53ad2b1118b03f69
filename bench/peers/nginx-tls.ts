/** nginx that ends TLS, as a good operator would run it; everything else as in nginx.ts. */
import { bestNginx, type NginxTuning, nginxWith } from './nginx.ts'
import type { PeerKind, PeerOptions } from './peer.ts'

interface TlsTuning {
  /** How sessions are resumed. */
  sessions: string
  /** How much goes into one record at most, by what is sent. */
  records: Record<PeerOptions['bodies'], string>
  buffering: NginxTuning['buffering']
  /** Further settings of OpenSSL. */
  extra: string
}

/** Versions, ciphers and curve that clients of today get; those of the benchmark offer one of each. */
const modern = [
  'ssl_protocols TLSv1.2 TLSv1.3;',
  'ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256;',
  // Order is for the client to say: it knows whether it has AES in hardware.
  'ssl_prefer_server_ciphers off;',
  // The default, auto, takes the same here; named, so that nobody has to know.
  'ssl_ecdh_curve X25519;',
].join(' ')

const cacheAndTickets = 'ssl_session_cache shared:tls:10m; ssl_session_timeout 1h; ssl_session_tickets on;'
const ticketsOnly = 'ssl_session_cache none; ssl_session_timeout 1h; ssl_session_tickets on;'
// 16 KiB is the most that a record can hold, and the default.
const records16k = 'ssl_buffer_size 16k;'
const records4k = 'ssl_buffer_size 4k;'
const unbuffered64k = 'proxy_buffering off; proxy_buffers 8 64k; proxy_buffer_size 64k;'

/**
 * The fastest of what was tried, in short rounds on a busy machine, so coarse: measure again on a quiet one. CPU us of a full TLS 1.3
 * handshake: tickets only 437, with a cache as well 498; of a resumed one 397 and 418. Every client of today takes tickets, and a cache
 * is written at each handshake all the same. Small requests, two runs: records of 4 KiB 33.4 and 34.3, of 16 KiB 34.9 and 36.8.
 * 1 MiB bodies, CPU ms per GB, two runs: unbuffered-64k 889 and 956, 16k 902 and 1050, 32k 1056 and 1079; in the first run also
 * default 1037, 32k with the kernel's TLS 1015, with records of 4 KiB 1532.
 */
const best: TlsTuning = {
  sessions: ticketsOnly,
  records: { small: records4k, large: records16k },
  buffering: { small: '', large: unbuffered64k },
  extra: '',
}

/** The others; `--peers nginx,nginx+session-cache` measures one against the choice above. */
const alternatives: Record<string, Partial<TlsTuning>> = {
  'session-cache': { sessions: cacheAndTickets },
  'records-4k': { records: always(records4k) },
  'records-16k': { records: always(records16k) },
  'default-buffers': { buffering: always('') },
  'unbuffered-16k': { buffering: always('proxy_buffering off; proxy_buffers 8 16k; proxy_buffer_size 16k;') },
  // The best without TLS.
  'unbuffered-32k': { buffering: bestNginx.buffering },
  'unbuffered-64k': { buffering: always(unbuffered64k) },
  // The kernel enciphers where it has the module tls; else this changes nothing.
  'kernel-tls': { extra: 'ssl_conf_command Options KTLS;' },
}

export const nginxTls = withTls('nginx', best)
export const nginxTlsAlternatives: PeerKind[] = Object.entries(alternatives).map(([name, change]) =>
  withTls(`nginx+${name}`, { ...best, ...change }),
)

function withTls(name: string, { sessions, records, buffering, extra }: TlsTuning): PeerKind {
  const lines = (bodies: PeerOptions['bodies']): string => [modern, sessions, records[bodies], extra].join(' ')
  return nginxWith(name, { ...bestNginx, buffering, tls: { small: lines('small'), large: lines('large') } })
}

function always(lines: string): Record<PeerOptions['bodies'], string> {
  return { small: lines, large: lines }
}
