import { expandedPath, milliseconds, runCommandLine } from '@taskledger/example-reindex/program'
import { clusterCommand } from './command.ts'
import { isCorrectable, reasonOf } from './errors.ts'

interface Options {
  readonly plain: boolean
  readonly keep: boolean
  readonly index?: string
  readonly pace?: number
  readonly drain: number
  readonly silence: number
}

/** Slow enough to watch, and to press keys meanwhile. */
const livePaceMs = 40
const plainPaceMs = 10

const help = `
Servers: those of the environment (CASSANDRA_CONTACT_POINTS, CASSANDRA_LOCAL_DATA_CENTER, CASSANDRA_USERNAME, CASSANDRA_PASSWORD,
AMQP_URL), else those that answer on this machine, else Docker, else processes that are started for the run and stopped after it.

Exit codes: 0 all went well, 1 not all did, 2 wrong arguments or servers, 130 ended by Ctrl-C.`

/** Runs a command line, and gives the exit code. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommandLine(args, {
    name: 'npm run cluster --',
    explain: (error) => (isCorrectable(error) ? reasonOf(error) : undefined),
    describe: (program, exitWith) =>
      program
        .description('Reindexes mailboxes on a cluster of processes, a front-end and workers, with Cassandra and RabbitMQ.')
        .argument('[paths...]', 'your own mail: mbox files, Maildir folders and .eml files, also below the given folders')
        .option(
          '--plain',
          'prints lines instead of a screen; cancels one task and exchanges one worker by itself, and ends with a line of sums',
          false,
        )
        .option('--keep', 'leaves the keyspace and the queues of the run on the servers', false)
        .option('--index <folder>', 'the folder of the index (default: a folder of this run alone)', expandedPath)
        .option(
          '--pace <ms>',
          'how long each new message of the example waits, so that the run can be watched (default: 40, with --plain 10)',
          milliseconds,
        )
        .option('--drain <ms>', 'how long tasks may go on after their worker was stopped, before they are released', milliseconds, 1_000)
        .option('--silence <ms>', 'how long a plain run waits without any news before unfinished tasks count as lost', milliseconds, 30_000)
        .addHelpText('after', help)
        .action(async (paths: readonly string[], { plain, keep, index, pace, drain, silence }: Options) => {
          exitWith(
            await clusterCommand({
              paths: paths.map(expandedPath),
              ...(index === undefined ? {} : { index }),
              paceMs: pace ?? (plain ? plainPaceMs : livePaceMs),
              drainMs: drain,
              silenceMs: silence,
              isPlain: plain,
              isKept: keep,
            }),
          )
        }),
  })
