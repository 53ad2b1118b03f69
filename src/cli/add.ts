import type { Argv } from 'yargs'
import type { RequestOf } from '../shared/control/requests.ts'
import { type ChangeArguments, changeOptions, changeParts, changeText } from './change.ts'
import { type ControlArguments, controlCommand } from './control-command.ts'
import { wholeNumber } from './usage-error.ts'

interface AddArguments extends ChangeArguments {
  upstream: string
  address: string
  name: string | undefined
  weight: number | undefined
  'max-connections': number | undefined
  backup: boolean
}

/** `weir add U ADDRESS`: adds a server to an upstream until it is removed. */
export const addCommand = controlCommand<AddArguments>({
  command: 'add <upstream> <address>',
  describe: 'Add a server to an upstream',
  arguments: addArguments,
  async run(args, session) {
    session.show(await session.ask('add', addRequest(args)), changeText)
    return 0
  },
})

function addArguments(yargs: Argv<ControlArguments>): Argv<AddArguments> {
  return changeOptions(yargs)
    .positional('upstream', { type: 'string', demandOption: true, describe: 'Upstream' })
    .positional('address', { type: 'string', demandOption: true, describe: 'host:port, [IPv6]:port or unix:/path' })
    .option('name', { type: 'string', describe: 'Name of the server; its address when not given' })
    .option('weight', { type: 'string', coerce: wholeNumber('weight', { from: 0, to: 256 }), describe: 'From 0 to 256; 1 when not given' })
    .option('max-connections', {
      type: 'string',
      coerce: wholeNumber('max-connections', { from: 1, to: Number.MAX_SAFE_INTEGER }),
      describe: 'Most exchanges and tunnels at once; no limit when not given',
    })
    .option('backup', { type: 'boolean', default: false, describe: 'It serves only when the others cannot' })
    .example('weir add api 10.0.0.7:9001 --name g', 'Server api/g, until weir remove api/g')
    .example('weir config save', 'Write it into the config') as Argv<AddArguments>
}

function addRequest({ upstream, address, name, weight, backup, ...args }: AddArguments): RequestOf<'add'> {
  const maxConnections = args['max-connections']
  return {
    upstream,
    address,
    ...(name === undefined ? {} : { name }),
    ...(weight === undefined ? {} : { weight }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(backup ? { backup } : {}),
    ...changeParts(args),
  }
}
