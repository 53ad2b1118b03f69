/**
 * What the router may ask about one request head, besides host and path. Every read can be a call into native code, so
 * the router reads a field only when a condition needs it, and keeps nothing after the lookup.
 */
export interface HeadReader {
  /** As sent: methods are case-sensitive (RFC 9110 9.1). */
  readonly method: string
  /** Without the '?'; '' when there is none. */
  readonly query: string
  /** Address of the client as text, IPv4 or IPv6; '' when it has none (unix socket). */
  readonly clientIp: string
  /** First value of a header, undefined when it was not sent. `name` is lower case. */
  header(name: string): string | undefined
}
