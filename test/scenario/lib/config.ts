/** Short ways to write the configs that scenarios need. Names are those of the config file. */
type Settings = Record<string, unknown>

export interface SimpleConfig {
  /** Addresses or full server entries of the one upstream, `app`. */
  servers: (string | Settings)[]
  /** Further settings of the upstream. */
  upstream?: Settings
  /** Further settings of the listener, `web`; its `routes` replace the one route that matches everything. */
  listener?: Settings
  /** Further settings of the file. */
  top?: Settings
}

/** One listener on a free port of 127.0.0.1, one upstream, one worker. */
export function config({ servers, upstream = {}, listener = {}, top = {} }: SimpleConfig): Settings {
  return {
    workers: 1,
    listeners: { web: { bind: '127.0.0.1:0', protocol: 'http', routes: [{ match: {}, upstream: 'app' }], ...listener } },
    upstreams: { app: { servers, ...upstream } },
    shutdown: { grace: '3s' },
    ...top,
  }
}

/** The same for connections instead of requests: the listener's protocol is `tcp` unless its settings say `tls`. */
export function tcpConfig({ listener = {}, ...rest }: SimpleConfig): Settings {
  return config({ ...rest, listener: { protocol: 'tcp', ...listener } })
}
