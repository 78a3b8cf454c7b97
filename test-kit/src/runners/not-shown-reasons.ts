import type { Contract } from '../framework/rule.ts'
import { namespaceFor, withSubject } from '../framework/run-rule.ts'
import { timesOf } from '../framework/settings.ts'

/**
 * Opens the subject once, and returns the rules that cannot be tried on it, with the reasons. For {@link register}. Rejects if the harness
 * cannot open or dispose of the subject in its time.
 */
export const notShownReasons = async <Port>(contract: Contract<Port>): Promise<ReadonlyMap<string, string>> => {
  const reasons = new Map<string, string>()
  const settings = { namespace: namespaceFor('reasons'), times: timesOf(contract.harness.timing), listener: {} }
  await withSubject(contract, settings, async (subject) => {
    for (const rule of contract.rules) {
      const why = rule.notShown?.(subject)
      if (why !== undefined) reasons.set(rule.id, why)
    }
  })
  return reasons
}
