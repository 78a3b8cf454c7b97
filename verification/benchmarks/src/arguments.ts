import { parseArgs } from 'node:util'
import type { Platform } from './platforms/platform.ts'
import { namesOn, programs } from './programs.ts'

export interface Arguments {
  readonly isHelp: boolean
  readonly platform: Platform['name']
  readonly names: readonly string[]
  readonly sync: 'batch' | 'periodic' | undefined
  readonly scale: number
  readonly outageMs: number
  readonly isJson: boolean
  readonly logInto: string | undefined
  readonly profileInto: string | undefined
}

const describe = (names: readonly string[]): string =>
  names.map((name) => `  ${name.padEnd(12)}${programs.get(name)?.about ?? ''}`).join('\n')

export const help = `Measures what Taskledger costs, each figure beside the same work without the framework where there is such work.

pnpm bench [options] [program …]            on the memory adapters, about a minute
pnpm bench:engines [options] [program …]    on Cassandra and RabbitMQ, about six minutes

Programs on the memory adapters:

${describe(namesOn('memory', 'usual'))}

Programs on servers:

${describe(namesOn('servers', 'usual'))}

Programs on servers that take minutes, and only run if they are named:

${describe(namesOn('servers', 'long'))}

Options:

  --on memory|servers     what to measure on (default: memory)
  --sync batch|periodic   starts servers with this commitlog_sync (default: servers that can be found)
  --scale <n>             how much of everything, such as 0.2 (default: 1)
  --outage <seconds>      how long an outage lasts (default: 60)
  --json                  prints the figures as JSON
  --log <folder>          the nodes log to files in this folder
  --cpu-prof <folder>     the processes write CPU profiles into this folder
  --help                  prints this

Exit codes: 0 every program gave its figures, 1 a program failed, 2 wrong arguments or servers.`

class WrongArguments extends Error {}

const above0 = (option: string, text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new WrongArguments(`${option} is ${text}: give a number above 0`)
  return value
}

const oneOf = <Value extends string>(option: string, text: string, values: readonly Value[]): Value => {
  const value = values.find((each) => each === text)
  if (value === undefined) throw new WrongArguments(`${option} is ${text}: give ${values.join(' or ')}`)
  return value
}

const read = (args: readonly string[]): Arguments => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      on: { type: 'string', default: 'memory' },
      sync: { type: 'string' },
      scale: { type: 'string', default: '1' },
      outage: { type: 'string', default: '60' },
      json: { type: 'boolean', default: false },
      log: { type: 'string' },
      'cpu-prof': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const platform = oneOf('--on', values.on, ['memory', 'servers'])
  const known = [...namesOn(platform, 'usual'), ...namesOn(platform, 'long')]
  const unknown = positionals.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new WrongArguments(`there is no program ${unknown} on ${platform}: give ${known.join(', ')}`)
  return {
    isHelp: values.help,
    platform,
    names: positionals.length > 0 ? positionals : namesOn(platform, 'usual'),
    sync: values.sync === undefined ? undefined : oneOf<'batch' | 'periodic'>('--sync', values.sync, ['batch', 'periodic']),
    scale: above0('--scale', values.scale),
    outageMs: above0('--outage', values.outage) * 1_000,
    isJson: values.json,
    logInto: values.log,
    profileInto: values['cpu-prof'],
  }
}

/** The arguments, or a sentence that says what is wrong with them. */
export const readArguments = (args: readonly string[]): Arguments | string => {
  try {
    return read(args)
  } catch (error) {
    if (error instanceof WrongArguments || (error instanceof TypeError && 'code' in error)) return error.message
    throw error
  }
}
