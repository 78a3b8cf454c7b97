/** The names of all options that are numbers, with those of nested objects: `lease.renewMs`. */
export type NumberOptions<Options, Prefix extends string = ''> = {
  [Name in keyof Options & string]: string extends Name ? never : NumberOption<NonNullable<Options[Name]>, `${Prefix}${Name}`>
}[keyof Options & string]

type NumberOption<Value, Path extends string> = [number] extends [Value]
  ? Path
  : Value extends readonly unknown[] | ((...given: never[]) => unknown) | Promise<unknown> | Date
    ? never
    : number extends Value
      ? Path
      : Value extends object
        ? NumberOptions<Value, `${Path}.`>
        : never

/** Numbers that programs give by mistake: a wrong unit, a division by zero, "for ever". */
export const oddNumbers: readonly number[] = [Number.NaN, Infinity, -Infinity, -1, 0, 0.5, 2 ** 31, 2 ** 53, 1e308]

/** The options with one number in them: `withNumber('lease.renewMs', 1)` is `{ lease: { renewMs: 1 } }`. */
export const withNumber = (path: string, value: number): object =>
  path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object
