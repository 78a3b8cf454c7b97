import { codeOf } from '@taskledger/core/ports'

/** What a promise is rejected with, or nothing where it resolves. */
export const outcomeOf = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
    return undefined
  } catch (error) {
    return error
  }
}

/** Whether the same call may succeed when it is repeated. */
export const isPassing = (error: unknown): boolean => ['UNAVAILABLE', 'OUTCOME_UNKNOWN'].includes(codeOf(error) ?? '')
