import { holderOf, shown, wrongOption } from './checks.ts'
import type { MisuseError } from './errors.ts'
import { misuse } from './errors.ts'
import { nearestName } from './option-names.ts'

/** Checks the value of an option, which is never `undefined`, and returns it as the framework uses it. `name` is for messages. */
export type OptionCheck<Value = unknown> = (name: string, value: unknown) => Value

/** Takes every value: the check of an option that is checked elsewhere. */
export const anyValue: OptionCheck = (_name, value) => value

/** A check for each option. With `satisfies ChecksOf<Options>` the compiler reports an option without a check. */
export type ChecksOf<Options> = { readonly [Name in keyof Options]-?: OptionCheck }

/** Options that were checked. An option that was left out is `undefined`. */
export type CheckedOptions<Checks> = {
  readonly [Name in keyof Checks]: Checks[Name] extends OptionCheck<infer Value> ? Value | undefined : never
}

/** Says for names that are no options of a call what to do instead. */
export type OptionHints = Readonly<Record<string, string>>

/**
 * Checks the options of a call, and returns a copy of them: callers in JavaScript may give anything. `owner` names the call in messages
 * (`submit`, `cassandraStorage`).
 *
 * @throws `MISUSE` if `given` is no object of options, has a name that is no option, or a value that its check refuses.
 */
export const checkOptions = <Checks extends Readonly<Record<string, OptionCheck>>>(
  owner: string,
  given: unknown,
  checks: Checks,
  hints: OptionHints = {},
): CheckedOptions<Checks> =>
  checkNames({ owner, path: '', named: `the options of ${owner}` }, given === undefined ? {} : given, checks, hints)

/** Makes the check of an option that is itself an object of options. */
export const objectOf =
  <Checks extends Readonly<Record<string, OptionCheck>>>(checks: Checks, hints: OptionHints = {}): OptionCheck<CheckedOptions<Checks>> =>
  (name, value) =>
    checkNames({ owner: name, path: `${name}.`, named: name }, value, checks, hints)

/** What messages call an object of options. */
interface Owner {
  readonly owner: string
  /** Before the name of each option. */
  readonly path: string
  readonly named: string
}

const checkNames = <Checks extends Readonly<Record<string, OptionCheck>>>(
  { owner, path, named }: Owner,
  given: unknown,
  checks: Checks,
  hints: OptionHints,
): CheckedOptions<Checks> => {
  const known = Object.keys(checks)
  if (typeof given !== 'object' || given === null || Array.isArray(given) || holderOf(given) !== undefined) {
    if (path !== '') throw wrongOption(named, given, `an object of ${listed(known)}`)
    throw misuse(`${named} are ${shown(given)}: ${given instanceof Promise ? 'await it first' : 'give an object'}`)
  }
  for (const name of Object.keys(given)) if (!Object.hasOwn(checks, name)) throw unknownOption(owner, name, known, hints)
  const checked: Record<string, unknown> = {}
  for (const [name, check] of Object.entries(checks)) {
    const value = (given as Readonly<Record<string, unknown>>)[name]
    checked[name] = value === undefined ? undefined : check(path + name, value)
  }
  return checked as CheckedOptions<Checks>
}

const unknownOption = (owner: string, name: string, known: readonly string[], hints: OptionHints): MisuseError<'MISUSE'> => {
  const problem = `${owner} has no option ${shown(name)}`
  if (Object.hasOwn(hints, name)) return misuse(`${problem}: ${hints[name]}`)
  const meant = nearestName(name, known)
  if (meant !== undefined) return misuse(`${problem}: did you mean ${meant}?`)
  return misuse(`${problem}: ${known.length === 0 ? 'it has none' : `its options are ${listed(known)}`}`)
}

const listed = (names: readonly string[]): string => names.join(', ')
