import { homedir } from 'node:os'
import { join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { demoMail, demoNote, demoSteps } from './demo/demo.ts'
import { IndexUnusable } from './index/open-index.ts'
import { NoMail } from './mail/find-mailboxes.ts'
import { reindexCommand } from './reindex-command.ts'
import { searchCommand } from './search-command.ts'

const defaultIndex = '.taskledger-index'
const defaultPaceMs = 10

const exitCodes = `
Exit codes: 0 all went well (a cancelled mailbox too), 1 a mailbox failed, 2 wrong arguments, paths or index, 130 ended by Ctrl-C.`

const searchHelp = `
All words have to be there, in any order. "these words" have to follow one another, begin* stands for all words that begin so,
and from:, to:, subject: and attachment: before a word look only there.`

/** Carries out a command line, and gives the exit code. */
export const main = async (args: readonly string[]): Promise<number> => {
  let exitCode = 0
  const program = new Command('npm start --')
    .description('Reindexes mailboxes, one task for each, on a front-end and two workers: by default those that the example brings.')
    .usage('[command] [options]')
    .argument('[nothing]')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .option('--index <folder>', 'where the index is', expanded, defaultIndex)
    .option('--pace <ms>', 'how long each new message of the mail that the example brings waits, for show', milliseconds, defaultPaceMs)
    .addHelpText('after', exitCodes)
    .action(async (nothing: string | undefined, { index, pace }: { readonly index: string; readonly pace: number }) => {
      if (nothing !== undefined)
        program.error(`error: there is no command "${nothing}". To reindex what is there, write: npm start -- reindex ${nothing}`)
      exitCode = await reindexCommand({ paths: demoMail(index), index, note: demoNote(pace), beforeMessage: demoSteps(pace) })
    })
  // The description of the argument would tell people to give one.
  program.configureHelp({ visibleArguments: () => [] })
  program
    .command('reindex')
    .description('reindex mail of your own: mbox files, Maildir folders, .eml files, and whatever of these is below a folder')
    .argument('<path...>', 'files and folders')
    .option('--index <folder>', 'where the index is', expanded, defaultIndex)
    .configureHelp({ visibleArguments: (command) => [...command.registeredArguments] })
    .action(async (paths: readonly string[], { index }: { readonly index: string }) => {
      exitCode = await reindexCommand({ paths: paths.map(expanded), index })
    })
  program
    .command('search')
    .description('find mail in the index')
    .argument('<words...>', 'what to look for')
    .option('--index <folder>', 'where the index is', expanded, defaultIndex)
    .option('--limit <count>', 'how many messages to show at most', positive, 10)
    .configureHelp({ visibleArguments: (command) => [...command.registeredArguments] })
    .addHelpText('after', searchHelp)
    .action((words: readonly string[], { index, limit }: { readonly index: string; readonly limit: number }) => {
      exitCode = searchCommand({ words, index, limit })
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
  if (!(error instanceof NoMail || error instanceof IndexUnusable)) throw error
  process.stderr.write(`${error.message}\n`)
  return 2
}

/** Not every shell expands `--index=~/mail`. */
const expanded = (path: string): string => (path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path)

const whole = (text: string, least: number, what: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || text.trim() === '') throw new InvalidArgumentError(`Give ${what}.`)
  return value
}

const positive = (text: string): number => whole(text, 1, 'a whole number, 1 or more')

const milliseconds = (text: string): number => whole(text, 0, 'a whole number of milliseconds, 0 or more')
