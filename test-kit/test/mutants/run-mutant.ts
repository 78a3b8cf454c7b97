import type { Contract } from '@taskledger/test-kit'
import { runContract } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'

/** A broken adapter, and the rules that have to see it. */
export interface Mutant<Port> {
  /** What is broken about it. */
  readonly name: string
  /** The ids of the rules that fail on it, all of them. */
  readonly fails: readonly string[]
  readonly contract: Contract<Port>
  /** Only these rules are tried: for contracts whose every rule would take too long. */
  readonly only?: readonly string[]
}

/** The ids of the rules that fail. A harness that breaks tells nothing, so its error is thrown. */
export const failedRules = async <Port>({ contract, only }: Mutant<Port>): Promise<readonly string[]> => {
  const { results } = await runContract(contract, only === undefined ? {} : { only })
  const errors = results.filter(({ status }) => status === 'error')
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'))
  return results.filter(({ status }) => status === 'failed').map(({ id }) => id)
}

/** The kit is worth something if it sees what is broken: each mutant fails the rules that it names, and no others. */
export const describeMutants = <Port>(of: string, mutants: readonly Mutant<Port>[]): void => {
  describe(`the mutants of the ${of}`, () => {
    for (const mutant of mutants)
      it(`${mutant.name}: ${mutant.fails.join(', ')}`, { timeout: 300_000 }, async () => {
        expect([...(await failedRules(mutant))].sort()).toEqual([...mutant.fails].sort())
      })
  })
}

/** A rule that no mutant fails has not been seen to find anything. */
export const everyRuleIsCaught = <Port>(mutants: readonly Mutant<Port>[]): void => {
  it('every rule is failed by one of them', () => {
    const caught = new Set(mutants.flatMap(({ fails }) => fails))
    const ids = new Set(mutants.flatMap(({ contract }) => contract.rules.map(({ id }) => id)))
    expect([...ids].filter((id) => !caught.has(id))).toEqual([])
  })
}
