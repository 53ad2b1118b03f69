/** Scenario files that say nothing about HTTP over TLS, or look below it, and why. All others run on both transports. */

/** Beginnings of names, or whole ones. */
const EXCEPTIONS: readonly { files: readonly string[]; why: string }[] = [
  { files: ['tcp-', 'tls-', 'databases', 'spread'], why: 'it has no HTTP listener, or makes its own TLS' },
  { files: ['proxy-protocol'], why: 'its clients begin with bytes that come before TLS' },
  {
    files: ['dashboard', 'admin', 'cli-operate', 'control-socket', 'top', 'tail', 'why', 'start', 'systemd', 'privileges'],
    why: 'it is about commands and pages of weir, not about its clients',
  },
  {
    files: ['faults-', 'worker-', 'review-processes', 'measures', 'load-clients', 'counts', 'post-once'],
    why: 'its clients are programs that speak plain HTTP',
  },
  { files: ['records', 'backpressure', 'addresses'], why: 'it counts bytes and sockets of TCP' },
  { files: ['corpus'], why: 'it runs no balancer' },
  {
    files: ['browser', 'real-clients', 'socket-io', 'express', 'fastify'],
    why: 'its programs have URLs with http in them; tls-termination has those clients',
  },
  {
    files: ['forwarded-headers', 'header-edits', 'redirects-and-answers', 'security-headers'],
    why: 'it expects that servers and clients are told of http',
  },
  { files: ['acme'], why: 'its authority asks a listener that speaks plain HTTP' },
  { files: ['limits'], why: 'who waits in the queue of the kernel is connected, and has no TLS yet' },
]

/** Why a file is not run over TLS; undefined when it is. */
export function withoutTls(name: string): string | undefined {
  return EXCEPTIONS.find(({ files }) =>
    files.some((one) => (one.endsWith('-') ? name.startsWith(one) : name === one || name.startsWith(`${one}-`))),
  )?.why
}
