import type { Contract, RuleResult } from '../framework/rule.ts'
import { resultOf } from '../framework/run-contract.ts'
import type { RunSettings } from '../framework/settings.ts'
import { seedOf } from '../framework/settings.ts'

/** What a test of the runner is called with: node:test gives a context that can skip, mocha has it as `this`. */
export type TestBody = (this: unknown, context?: unknown) => Promise<void>

/** What every runner has: node:test, mocha, jest, bun, vitest. */
export interface Runner {
  /** Groups tests. */
  describe(name: string, body: () => void): unknown
  /** May have an `it.skip`. */
  it(name: string, body: TestBody): unknown
}

export interface RegisterOptions extends RunSettings {
  /**
   * Why rules cannot be shown, by id: what `notShownReasons` found. Such a rule is skipped with the reason in its name. For
   * runners that cannot skip a test that has begun (jest, bun); the others do without.
   */
  readonly notShown?: ReadonlyMap<string, string>
}

/**
 * Declares a test for each rule of a contract. A rule that cannot be shown is skipped with its reason where the runner can
 * skip a test that has begun (node:test, mocha, vitest). Where it cannot (jest, bun), the reason is told on the console,
 * and the test counts as passed unless `notShown` is given.
 *
 * Give the runner more time than a rule takes: the kit has deadlines of its own, with sentences that say what did not happen.
 */
export const register = <Port>(contract: Contract<Port>, { describe, it }: Runner, options: RegisterOptions = {}): void => {
  const seed = seedOf(options)
  const { skip } = it as { skip?(name: string, body: TestBody): unknown }
  describe(`${contract.name} (${contract.harness.name})`, () => {
    for (const rule of contract.rules) {
      const name = `${rule.id}: ${rule.title}`
      // A rest, so that no runner takes the context for a callback that it has to wait for: they count the parameters.
      const body: TestBody = async function (this: unknown, ...[context]: readonly unknown[]) {
        report(await resultOf(contract, rule, { seed }), skipOf(this, context))
      }
      const why = options.notShown?.get(rule.id)
      if (why === undefined || skip === undefined) it(name, body)
      else skip(`${name} [not shown: ${why}]`, body)
    }
  })
}

/** Turns a result into what the runner understands. */
const report = (result: RuleResult, skip: Skip): void => {
  const { id, status, message = '' } = result
  if (status === 'failed' || status === 'error') {
    const failure = new Error(message)
    // The message has the stack of what went wrong; the one of this line would only hide it.
    failure.stack = `Error: ${message}`
    throw failure
  }
  if (status === 'not shown') skip(`${id} ${status}: ${message}`)
}

/** Skips the test that runs, and says why. */
type Skip = (why: string) => void

const skipOf = (self: unknown, context: unknown): Skip => {
  // node:test and vitest give a context as the first argument, and show the reason.
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

/** The only place where mocha, jest and bun let a test say why it was not shown. */
const tell = (why: string): void => console.info(why)
