/** Closes a `switch` over a union: a member that has no case of its own is a compile error here. */
export const never = (value: never): never => {
  throw new TypeError(`no case for ${JSON.stringify(value)}`)
}
