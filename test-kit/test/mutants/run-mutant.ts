import type { Contract } from '@taskledger/test-kit'
import { runContract } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'

/** A broken adapter, and the rules that have to fail on it. */
export interface Mutant<Port> {
  /** The defect. */
  readonly name: string
  /** The ids of all rules that fail on it. */
  readonly fails: readonly string[]
  readonly contract: Contract<Port>
  /** Tries only these rules, where all rules of the contract would take too long. */
  readonly only?: readonly string[]
}

/** The ids of the rules that fail. Throws the error of a harness that fails: such a run shows nothing. */
export const failedRules = async <Port>({ contract, only }: Mutant<Port>): Promise<readonly string[]> => {
  const { results } = await runContract(contract, only === undefined ? {} : { only })
  const errors = results.filter(({ status }) => status === 'error')
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'))
  return results.filter(({ status }) => status === 'failed').map(({ id }) => id)
}

/** Each mutant has to fail the rules that it names, and no others. */
export const describeMutants = <Port>(of: string, mutants: readonly Mutant<Port>[]): void => {
  describe(`the mutants of the ${of}`, () => {
    for (const mutant of mutants)
      it(`${mutant.name}: ${mutant.fails.join(', ')}`, { timeout: 300_000 }, async () => {
        expect([...(await failedRules(mutant))].sort()).toEqual([...mutant.fails].sort())
      })
  })
}

/** Whether all ports share the rule, so that the mutants of shared/shared-rules.test.ts fail it. */
export const isShared = (id: string): boolean => /-(T\.[4-9]|F\.\d)$/.test(id)

/** Each rule has to find at least one mutant. Default: the rules that are the port's own. */
export const everyRuleIsCaught = <Port>(
  mutants: readonly Mutant<Port>[],
  counts: (id: string) => boolean = (id) => !isShared(id),
): void => {
  it('every rule fails on one of them', () => {
    const caught = new Set(mutants.flatMap(({ fails }) => fails))
    const ids = new Set(mutants.flatMap(({ contract }) => contract.rules.map(({ id }) => id)))
    expect([...ids].filter((id) => counts(id) && !caught.has(id))).toEqual([])
  })
}
