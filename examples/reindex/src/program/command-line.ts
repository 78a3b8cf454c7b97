import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { Command, CommanderError, InvalidArgumentError } from 'commander'

export interface CommandLine {
  /** The command as the user types it: `npm start --`. */
  readonly name: string
  /** Describes the command. Its actions give their exit codes to `exitWith`. */
  readonly describe: (program: Command, exitWith: (code: number) => void) => void
  /** The message of an error that the user can correct. Any other error is a fault of the program: it is thrown, with its stack. */
  readonly explain: (error: unknown) => string | undefined
}

/** Runs a command line, and gives the exit code: 2 where an argument is wrong or an error can be corrected. */
export const runCommandLine = async (args: readonly string[], { name, describe, explain }: CommandLine): Promise<number> => {
  let exitCode = 0
  // Before any subcommand, which inherits it.
  const program = new Command(name).exitOverride()
  describe(program, (code) => (exitCode = code))
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has written its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const message = explain(error)
    if (message === undefined) throw error
    process.stderr.write(`${message}\n`)
    return 2
  }
}

/** A path whose `~` is the home folder: not every shell expands `--index=~/mail`. */
export const expandedPath = (path: string): string => (path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path)

/** Parses an option that is a whole number. */
const wholeNumber =
  (min: number, what: string) =>
  (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || text.trim() === '') throw new InvalidArgumentError(`Give ${what}, ${min} or more.`)
    return value
  }

export const positive = wholeNumber(1, 'a whole number')

export const milliseconds = wholeNumber(0, 'a whole number of milliseconds')
