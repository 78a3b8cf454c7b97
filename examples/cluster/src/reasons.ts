import { codeOf, TaskledgerError } from '@taskledger/core'

/** What people can mend: it is said in a line. */
export class Mendable extends Error {
  override readonly name = 'Mendable'
}

const mendableCodes = ['MISCONFIGURED', 'UNAVAILABLE', 'NO_MAIL', 'INDEX_UNUSABLE']
const mendableNames = ['Mendable', 'ServerNotAvailable', 'WrongEnvironment']

/** Whether the message says all: everything else is a fault of the program, and comes with its stack. */
export const isMendable = (error: unknown): error is Error =>
  error instanceof Error && (mendableCodes.includes(codeOf(error) ?? '') || mendableNames.includes(error.name))

export const reasonOf = (error: unknown): string =>
  error instanceof TaskledgerError ? `${error.message} (${error.code})` : error instanceof Error ? error.message : String(error)
