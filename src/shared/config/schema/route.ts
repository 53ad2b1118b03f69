import { Type } from 'typebox'
import type { ConnectionFunction, PickFunction, RequestFunction } from '../../../index-types.ts'
import { errorPages } from './error-pages.ts'
import { attempts, retryReasons, retryStatuses } from './failures.ts'
import { matchRef } from './match.ts'
import { functionOf, mapOf, oneOrMany, option, optional, required, section, text } from './option.ts'
import { routeTimeouts } from './timeouts.ts'

const reload = 'next-exchange'

const redirect = section({
  to: required(text('redirectTarget'), { text: 'Path or URL; may hold placeholders.', reload }),
  status: option(Type.Enum([301, 302, 303, 307, 308]), { text: 'Status of the redirect.', reload, default: 308 }),
})

const answer = section({
  status: option(Type.Integer({ minimum: 200, maximum: 599 }), { text: 'Status of the answer.', reload, default: 200 }),
  body: option(text('text'), { text: 'Body of the answer.', reload, default: '' }),
  contentType: option(text('headerValue'), { text: 'Content-Type of the body.', reload, default: 'text/plain; charset=utf-8' }),
  headers: option(mapOf('answerHeader', oneOrMany(text('headerValue'))), { text: 'Further headers by name.', reload, default: {} }),
})

const rewrite = section({
  stripPrefix: optional(text('rootedPath'), { text: 'Removed from the beginning of the path, where it stands there.', reload }),
  addPrefix: optional(text('rootedPath'), { text: 'Put before the path.', reload }),
  regex: optional(
    section({
      pattern: required(text('regex'), { text: 'Regular expression that is searched in the path.', reload }),
      to: required(text('text'), { text: 'Replacement; `$1` is the first group.', reload }),
    }),
    { text: 'Replaces what a regular expression finds in the path.', reload },
  ),
})

const headerEdits = section({
  set: option(mapOf('editedHeader', text('headerValue')), { text: 'Headers that replace those of the same name.', reload, default: {} }),
  add: option(mapOf('editedHeader', oneOrMany(text('headerValue'))), {
    text: 'Headers that are added to those of the same name.',
    reload,
    default: {},
  }),
  remove: option(Type.Array(text('editedHeader')), { text: 'Headers that are removed.', reload, default: [] }),
})

const headers = section({
  request: option(headerEdits, {
    text: 'Edits of the request that goes to the server. Values may hold placeholders.',
    reload,
    default: {},
  }),
  response: option(headerEdits, {
    text: 'Edits of the response that goes to the client. Values may hold placeholders.',
    reload,
    default: {},
  }),
})

const routeRetry = section({
  attempts: optional(attempts, { text: 'Attempts after the first, each on another server.', reload }),
  on: optional(retryReasons, { text: 'After which failures.', reload }),
  statuses: optional(retryStatuses, { text: 'Statuses of responses to idempotent requests that are tried again.', reload }),
})

/** The keys that say what a route does; exactly one of them is given. */
export const actionKeys = ['upstream', 'split', 'redirect', 'answer'] as const

export const routeSchema = section({
  match: option(matchRef, {
    text: 'Which requests or connections the route takes; all that is given must match. An empty match takes every one.',
    reload,
    default: {},
  }),
  upstream: optional(text('name'), { text: 'Sends the request or connection to this upstream.', reload }),
  split: optional(mapOf('name', text('share'), { atLeastOne: true }), {
    text: 'Sends requests or connections to several upstreams, each with its share; the shares sum to 100%.',
    reload,
  }),
  redirect: optional(redirect, { text: 'Answers with a redirect.', reload }),
  answer: optional(answer, { text: 'Answers without asking a server.', reload }),
  rewrite: option(rewrite, { text: 'Changes the path that the server sees.', reload, default: {} }),
  headers: option(headers, { text: 'Changes headers.', reload, default: {} }),
  host: option(text('hostHeader'), {
    text: "The Host that the server sees: `preserve` the client's, `server` the server's address, or this text.",
    reload,
    default: 'preserve',
  }),
  timeouts: option(routeTimeouts, { text: "What differs from the upstream's `timeouts`.", reload, default: {} }),
  retry: option(routeRetry, { text: "What differs from the upstream's `retry`.", reload, default: {} }),
  errorPages,
  onRequest: optional(functionOf<RequestFunction>(), {
    text: 'Function that runs for each request of the route. TypeScript only.',
    reload,
  }),
  onConnection: optional(functionOf<ConnectionFunction>(), {
    text: 'Function that runs for each connection of the route, with protocol `tcp` or `tls`. TypeScript only.',
    reload,
  }),
  pick: optional(functionOf<PickFunction>(), { text: 'Function that chooses the server. TypeScript only.', reload }),
})
