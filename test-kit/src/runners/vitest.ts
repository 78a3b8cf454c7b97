/**
 * Conformance under vitest.
 *
 * @packageDocumentation
 */
import { describe, it } from 'vitest'
import type { TestBody } from './register.ts'
import { register } from './register.ts'
import type { Contract } from '../framework/rule.ts'
import type { RunSettings } from '../framework/settings.ts'

/** In milliseconds. The deadlines of the kit, which say what a rule waited for, come first. */
const runnersTimeoutMs = 600_000

/** Declares a test for each rule of a contract. A rule that cannot be tried is skipped with the reason. */
export const describeContract = <Port>(contract: Contract<Port>, settings: RunSettings = {}): void => {
  const declare = (name: string, body: TestBody): unknown =>
    // oxlint-disable-next-line vitest/valid-title -- the caller passes a string
    it(name, { timeout: runnersTimeoutMs }, ({ skip }) => body.call(undefined, { skip }))
  register(contract, { describe, it: declare }, settings)
}
