import type { Contract, RuleResult } from '../framework/rule.ts'
import { resultOf } from '../framework/run-contract.ts'
import type { RunSettings } from '../framework/settings.ts'
import { seedOf } from '../framework/settings.ts'

/** The body of a test. node:test and vitest pass a context that can skip, mocha has it as `this`. */
export type TestBody = (this: unknown, context?: unknown) => Promise<void>

/** The functions that every runner has: node:test, mocha, jest, bun, vitest. */
export interface Runner {
  /** Groups tests. */
  describe(name: string, body: () => void): unknown
  /** May have an `it.skip`. */
  it(name: string, body: TestBody): unknown
}

export interface RegisterOptions extends RunSettings {
  /**
   * Why rules cannot be tried, by id, from `notShownReasons`. Such a rule is skipped with the reason in its name. Only runners that cannot
   * skip a test that has begun (jest, bun) need it.
   */
  readonly notShown?: ReadonlyMap<string, string> | undefined
}

/**
 * Declares a test for each rule of a contract. A rule that cannot be tried is skipped with its reason where the runner can
 * skip a test that has begun (node:test, mocha, vitest). Where it cannot (jest, bun), the reason is printed to the console,
 * and the test counts as passed unless `notShown` is given.
 *
 * Give the runner a longer timeout than a rule takes: the deadlines of the kit say what a rule waited for.
 */
export const register = <Port>(contract: Contract<Port>, { describe, it }: Runner, options: RegisterOptions = {}): void => {
  const seed = seedOf(options)
  const { skip } = it as { skip?(name: string, body: TestBody): unknown }
  describe(`${contract.name} (${contract.harness.name})`, () => {
    for (const rule of contract.rules) {
      const name = `${rule.id}: ${rule.title}`
      // A rest parameter: runners count parameters, and would take a named one for a callback that they have to wait for.
      const body: TestBody = async function (this: unknown, ...[context]: readonly unknown[]) {
        report(await resultOf(contract, rule, { seed }), skipOf(this, context))
      }
      const why = options.notShown?.get(rule.id)
      if (why === undefined || skip === undefined) it(name, body)
      else skip(`${name} [not shown: ${why}]`, body)
    }
  })
}

/** Reports a result to the runner. */
const report = (result: RuleResult, skip: Skip): void => {
  const { id, status, message = '' } = result
  if (status === 'failed' || status === 'error') {
    const failure = new Error(message)
    // The message has the stack of the failure; the stack of this line would hide it.
    failure.stack = `Error: ${message}`
    throw failure
  }
  if (status === 'not shown') skip(`${id} ${status}: ${message}`)
}

/** Skips the test that runs, and says why. */
type Skip = (why: string) => void

const skipOf = (self: unknown, context: unknown): Skip => {
  // node:test and vitest pass a context as the first argument, and show the reason.
  if (canSkip(context)) return (why) => context.skip(why)
  // mocha has it as `this`, and shows no reason.
  if (canSkip(self))
    return (why) => {
      tell(why)
      self.skip(why)
    }
  return tell
}

const canSkip = (value: unknown): value is { skip(why: string): void } =>
  typeof value === 'object' && value !== null && 'skip' in value && typeof value.skip === 'function'

/** mocha, jest and bun show the reason of a skip nowhere else. */
const tell = (why: string): void => console.info(why)
