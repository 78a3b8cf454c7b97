import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { clusterCommand } from './cluster-command.ts'
import { isMendable, reasonOf } from './reasons.ts'

interface Options {
  readonly plain: boolean
  readonly keep: boolean
  readonly index?: string
  readonly pace?: number
  readonly drain: number
  readonly silence: number
}

/** Slow enough to be watched, and to press keys meanwhile. */
const paceToWatchMs = 40
const paceOfScriptMs = 10

const help = `
Servers: those of the environment (CASSANDRA_CONTACT_POINTS, CASSANDRA_LOCAL_DATA_CENTER, CASSANDRA_USERNAME, CASSANDRA_PASSWORD,
AMQP_URL), else those that answer on this machine, else Docker, else processes that are started for the run and stopped after it.

Exit codes: 0 all went well, 1 not all did, 2 wrong arguments or servers, 130 ended by Ctrl-C.`

/** Carries out a command line, and gives the exit code. */
export const main = async (args: readonly string[]): Promise<number> => {
  let exitCode = 0
  const program = new Command('npm run cluster --')
    .description('Reindexes mailboxes on a cluster of processes, a front-end and workers, with Cassandra and RabbitMQ.')
    .argument('[paths...]', 'mail of your own: mbox files, Maildir folders, .eml files, and whatever of these is below a folder')
    .exitOverride()
    .option(
      '--plain',
      'lines instead of a screen; cancels one task and exchanges one worker by itself, and ends with a line of sums',
      false,
    )
    .option('--keep', 'leave the keyspace and the queues of the run on the servers', false)
    .option('--index <folder>', 'where the index is (default: in a folder of this run alone)', expanded)
    .option(
      '--pace <ms>',
      'how long each new message of the mail that the example brings waits, for show (default: 40, with --plain 10)',
      milliseconds,
    )
    .option(
      '--drain <ms>',
      'how long tasks may go on after their worker was told to stop, before they are handed back',
      milliseconds,
      1_000,
    )
    .option(
      '--silence <ms>',
      'for how long nothing may happen in a plain run before what has not ended counts as lost',
      milliseconds,
      30_000,
    )
    .addHelpText('after', help)
    .action(async (paths: readonly string[], { plain, keep, index, pace, drain, silence }: Options) => {
      exitCode = await clusterCommand({
        paths: paths.map(expanded),
        ...(index === undefined ? {} : { index }),
        paceMs: pace ?? (plain ? paceOfScriptMs : paceToWatchMs),
        drainMs: drain,
        silenceMs: silence,
        isPlain: plain,
        isKept: keep,
      })
    })
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    return exitCodeOf(error)
  }
  return exitCode
}

/** What people can mend is said in a line; everything else is a fault of the program, and comes with its stack. */
const exitCodeOf = (error: unknown): number => {
  // The message was written already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (!isMendable(error)) throw error
  process.stderr.write(`${reasonOf(error)}\n`)
  return 2
}

/** Not every shell expands `--index=~/mail`. */
const expanded = (path: string): string => (path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path)

const milliseconds = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || text.trim() === '')
    throw new InvalidArgumentError('Give a whole number of milliseconds, 0 or more.')
  return value
}
