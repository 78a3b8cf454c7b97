import { constants } from 'node:os'
import process from 'node:process'

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The exit code of a process that a signal ends: 128 and the number of the signal. */
const exitCodeOf = (name: (typeof names)[number]): number => 128 + constants.signals[name]

/**
 * For a program: aborted at the first Ctrl-C (or SIGTERM, SIGHUP), so that the program ends in order. The second one ends the process at
 * once. Its servers and their data go in both cases.
 */
export const interruption = (): AbortSignal => {
  const controller = new AbortController()
  for (const name of names)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodeOf(name))
      process.exitCode = exitCodeOf(name)
      controller.abort(new Error(`ended by ${name}`))
    })
  return controller.signal
}

/** For a program that leaves nothing behind but servers and their data: Ctrl-C (or SIGTERM, SIGHUP) ends it at once. */
export const exitOnSignals = (): void => {
  for (const name of names) process.once(name, () => process.exit(exitCodeOf(name)))
}
