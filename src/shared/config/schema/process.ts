import { offOr, oneOrMany, option, optional, required, section, text } from './option.ts'

/** How the process itself is run, watched and stopped; these rows stand at the top of the file. */
export const processOptions = {
  control: option(
    section({
      socket: optional(offOr(text('socketPath')), {
        text: 'Path of the control socket, which only its owner may use. Left out: `$XDG_RUNTIME_DIR/weir.sock`, `/run/weir.sock` for root, else `/tmp/weir-UID.sock`. `off`: there is none, and commands that talk to a running weir do not work.',
        reload: 'restart',
      }),
    }),
    { text: 'How commands reach a running weir.', reload: 'restart', default: {} },
  ),
  admin: option(
    offOr(
      section({
        bind: required(text('adminAddress'), {
          text: 'Where it listens. Without a token that is a loopback address, as whoever reaches it may do everything. `GET /ready` answers 200 while weir takes traffic and 503 otherwise, with the reason, and `GET /live` answers 200, both without a token; `GET /metrics` is for scrapers, `/` the dashboard, `/api` what commands do.',
          reload: 'restart',
        }),
        token: optional(text('token'), {
          text: 'Who shows it may do everything: `Authorization: Bearer TOKEN`, or the login of the dashboard. It travels as it is: put TLS in front where the network is not your own.',
          reload: 'restart',
        }),
        tokenFile: optional(text('filePath'), {
          text: 'The same, read from a file; white space around it does not count.',
          reload: 'restart',
        }),
        viewToken: optional(text('token'), {
          text: 'Who shows it may look, and change nothing: for scrapers and screens on the wall.',
          reload: 'restart',
        }),
        hosts: option(oneOrMany(text('siteName'), 0), {
          text: 'Names by which browsers reach it on a loopback address, beside localhost, for instance behind a proxy that passes `Host` on. Others are refused, so that no web page can reach it by a name of its own.',
          reload: 'restart',
          default: [],
        }),
      }),
    ),
    { text: 'HTTP interface for whoever watches weir.', reload: 'restart', default: 'off' },
  ),
  user: optional(text('account'), {
    text: 'The user, by name or number, that weir becomes after its sockets are open. Needs a start as root.',
    reload: 'restart',
  }),
  group: optional(text('account'), {
    text: 'The group that goes with `user`. Left out: the main group of the user.',
    reload: 'restart',
  }),
  pidFile: optional(text('absolutePath'), {
    text: 'A file that holds the process id of the primary while weir runs.',
    reload: 'restart',
  }),
  shutdown: option(
    section({
      grace: option(text('duration'), {
        text: 'How long requests in flight may take when weir stops; `0s` is no limit.',
        reload: 'live',
        default: '25s',
      }),
      delay: option(text('duration'), {
        text: 'How long weir goes on as before, with `/ready` answering 503, before its listeners close: the time that a balancer in front needs to see it.',
        reload: 'live',
        default: '0s',
      }),
      spread: option(text('duration'), {
        text: 'Keep-alive connections are closed one after the other over this time instead of all at once; at most half of `grace`.',
        reload: 'live',
        default: '5s',
      }),
    }),
    { text: 'How weir stops.', reload: 'live', default: {} },
  ),
}
