/** What a promise is rejected with, or nothing where it resolves. */
export const outcomeOf = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
    return undefined
  } catch (error) {
    return error
  }
}
