/** Makes copies of values, without some of their properties. */
export const without =
  (...names: readonly string[]) =>
  <T extends object>(value: T): T =>
    Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name))) as T
