import { codeOf, TaskledgerError } from '@taskledger/core'
import { reasonOf as serverReasonOf } from '@taskledger/servers'

/** An error that the user can correct. Its message is shown without a stack. */
export class Correctable extends Error {
  override readonly name = 'Correctable'
}

const correctableCodes = ['MISCONFIGURED', 'UNAVAILABLE', 'NO_MAIL', 'INDEX_UNUSABLE']
const correctableNames = ['Correctable', 'ServerNotAvailable', 'WrongEnvironment']

/** Whether the message of an error is enough. Any other error is a fault of the program, and is shown with its stack. */
export const isCorrectable = (error: unknown): error is Error =>
  error instanceof Error && (correctableCodes.includes(codeOf(error) ?? '') || correctableNames.includes(error.name))

export const reasonOf = (error: unknown): string =>
  error instanceof TaskledgerError ? `${error.message} (${error.code})` : serverReasonOf(error)
