import { Type } from 'typebox'
import { option, optional, section, text } from './option.ts'

const reload = 'next-exchange'
const time = text('duration', { least: 1 })
const timeOrNone = Type.Union([Type.Literal('none'), time])

/** How long a server may take. */
export const upstreamTimeouts = section({
  connect: option(time, { text: 'To connect to a server, for requests and TCP connections.', reload, default: '2s' }),
  firstByte: option(time, {
    text: 'From the end of the request to the first byte of the response; then another server, or 504.',
    reload,
    default: '30s',
  }),
  idle: option(time, { text: 'Between two reads of a response body.', reload, default: '60s' }),
  tunnel: option(time, {
    text: 'Without a byte in either direction of a TCP connection, or of an upgraded one, as a WebSocket.',
    reload,
    default: '1h',
  }),
  total: option(timeOrNone, {
    text: 'From the request to the end of its response, with all attempts. It cuts long downloads and streams.',
    reload,
    default: 'none',
  }),
})

/** What a route may set differently. */
export const routeTimeouts = section({
  connect: optional(time, { text: 'To connect to a server, for requests and TCP connections.', reload }),
  firstByte: optional(time, { text: 'From the end of the request to the first byte of the response.', reload }),
  idle: optional(time, { text: 'Between two reads of a response body.', reload }),
  tunnel: optional(time, { text: 'Without a byte in either direction of a TCP or upgraded connection.', reload }),
  total: optional(timeOrNone, { text: 'From the request to the end of its response, with all attempts.', reload }),
})
