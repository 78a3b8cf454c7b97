/**
 * Calls a callback of the user. What it throws goes to `onError`, and so does the rejection of a promise that it returns: an async function
 * fits where a type asks for a function that returns nothing, and an unhandled rejection would end the process.
 */
export const callSafely = (callback: () => unknown, onError: (error: unknown) => void): void => {
  try {
    const returned = callback()
    if (typeof returned === 'object' && returned !== null) void Promise.resolve(returned).then(undefined, onError)
  } catch (error) {
    onError(error)
  }
}
