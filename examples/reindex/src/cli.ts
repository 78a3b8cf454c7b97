import type { Command } from 'commander'
import { demoMail, demoNote, demoSteps } from './demo/demo.ts'
import { IndexUnusable } from './index/open-index.ts'
import { NoMail } from './mail/find-mailboxes.ts'
import { expandedPath, milliseconds, positive, runCommandLine } from './program/command-line.ts'
import { reindexCommand } from './reindex-command.ts'
import { searchCommand } from './search-command.ts'

const defaultIndex = '.taskledger-index'
const defaultPaceMs = 10

const exitCodes = `
Exit codes: 0 no mailbox failed (one may be cancelled), 1 a mailbox failed, 2 wrong arguments, paths or index, 130 ended by Ctrl-C.`

const searchHelp = `
Finds messages with all of the words, in any order. "these words" have to follow one another, begin* stands for all words with that
beginning, and from:, to:, subject: and attachment: search only there.`

/** Runs a command line, and gives the exit code. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommandLine(args, {
    name: 'npm start --',
    describe,
    explain: (error) => (error instanceof NoMail || error instanceof IndexUnusable ? error.message : undefined),
  })

const describe = (program: Command, exitWith: (code: number) => void): void => {
  program
    .description(
      'Reindexes mailboxes, one task for each, on a front-end and two workers. By default these are the mailboxes of the example.',
    )
    .usage('[command] [options]')
    .argument('[nothing]')
    .helpCommand(false)
    .enablePositionalOptions()
    .option('--index <folder>', 'the folder of the index', expandedPath, defaultIndex)
    .option('--pace <ms>', 'how long each new message of the example waits, so that the run can be watched', milliseconds, defaultPaceMs)
    .addHelpText('after', exitCodes)
    .action(async (nothing: string | undefined, { index, pace }: { readonly index: string; readonly pace: number }) => {
      if (nothing !== undefined)
        program.error(`error: there is no command "${nothing}". To reindex that path, run: npm start -- reindex ${nothing}`)
      exitWith(await reindexCommand({ paths: demoMail(index), index, note: demoNote(pace), beforeMessage: demoSteps(pace) }))
    })
  // Otherwise the help would show the argument.
  program.configureHelp({ visibleArguments: () => [] })
  program
    .command('reindex')
    .description('reindex your own mail: mbox files, Maildir folders and .eml files, also below the given folders')
    .argument('<path...>', 'files and folders')
    .option('--index <folder>', 'the folder of the index', expandedPath, defaultIndex)
    .configureHelp({ visibleArguments: (command) => [...command.registeredArguments] })
    .action(async (paths: readonly string[], { index }: { readonly index: string }) => {
      exitWith(await reindexCommand({ paths: paths.map(expandedPath), index }))
    })
  program
    .command('search')
    .description('search the index')
    .argument('<words...>', 'the words to search for')
    .option('--index <folder>', 'the folder of the index', expandedPath, defaultIndex)
    .option('--limit <count>', 'how many messages to show', positive, 10)
    .configureHelp({ visibleArguments: (command) => [...command.registeredArguments] })
    .addHelpText('after', searchHelp)
    .action((words: readonly string[], { index, limit }: { readonly index: string; readonly limit: number }) => {
      exitWith(searchCommand({ words, index, limit }))
    })
}
