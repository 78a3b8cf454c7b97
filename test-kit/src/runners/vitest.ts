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

/** The kit has deadlines of its own, which say what did not happen; the runner's only ends what they cannot. In milliseconds. */
const runnersTimeoutMs = 600_000

/** Declares a test for each rule of a contract; rules that cannot be shown are skipped, with the reason. */
export const describeContract = <Port>(contract: Contract<Port>, settings: RunSettings = {}): void => {
  const declare = (name: string, body: TestBody): unknown =>
    // oxlint-disable-next-line vitest/valid-title -- it is a string, made elsewhere
    it(name, { timeout: runnersTimeoutMs }, ({ skip }) => body.call(undefined, { skip }))
  register(contract, { describe, it: declare }, settings)
}
