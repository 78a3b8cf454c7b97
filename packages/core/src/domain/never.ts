/** The default of a `switch` over a union: a member without a case is a compile error. */
export const never = (value: never): never => {
  throw new TypeError(`no case for ${JSON.stringify(value)}`)
}
