/**
 * What the router may ask about one request head, besides host and path, or about one connection, besides its server name. Every read can be a call into native code, so
 * the router reads a field only when a condition needs it, and keeps nothing after the lookup.
 */
export interface HeadReader {
  /** Local port that was connected to; 0 for a unix socket. */
  readonly localPort: number
  /** Server name of the ClientHello, lower case; '' when there is none, and for requests. */
  readonly sni: string
  /** Protocols that the ClientHello offers; none for requests. */
  readonly alpn: readonly string[]
  /** As sent: methods are case-sensitive (RFC 9110 9.1); '' for connections. */
  readonly method: string
  /** Without the '?'; '' when there is none. */
  readonly query: string
  /** Address of the client as text, IPv4 or IPv6; '' when it has none (unix socket). */
  readonly clientIp: string
  /** First value of a header, undefined when it was not sent. `name` is lower case. */
  header(name: string): string | undefined
  /** Value of the first TLV of a type (0 to 255) in the PROXY header, as latin1 text; undefined without one. */
  proxyTlv(type: number): string | undefined
}
