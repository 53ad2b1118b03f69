import { offOr, option, optional, required, section, text } from './option.ts'

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
        bind: required(text('loopbackAddress'), {
          text: 'A loopback address. `GET /ready` answers 200 while weir takes traffic and 503 otherwise, with the reason; `GET /live` answers 200.',
          reload: 'restart',
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
