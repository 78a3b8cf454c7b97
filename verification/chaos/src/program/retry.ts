import { codeOf } from '@taskledger/core'

/** How soon a request is repeated, in milliseconds. */
export const retryMs = 500

const temporaryCodes: readonly (string | undefined)[] = ['OUTCOME_UNKNOWN', 'UNAVAILABLE']

/** Whether a request may be repeated: its outcome is unknown, or an engine is away. */
export const isTemporary = (error: unknown): boolean => temporaryCodes.includes(codeOf(error))
