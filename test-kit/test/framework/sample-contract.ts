import type { Contract, Harness, Rule, RuleContext, RuleResult } from '@taskledger/test-kit'
import { runContract } from '@taskledger/test-kit'

/** As much of a port as the framework needs. */
export interface Port {
  close(): Promise<void>
}

export const port = (): Port => ({ close: async () => {} })

export const ruleOf = (id: string, run: (context: RuleContext<Port>) => Promise<void>, rest: Partial<Rule<Port>> = {}): Rule<Port> => ({
  id,
  kind: 'plain',
  title: `rule ${id} holds`,
  hint: 'look closer',
  run,
  ...rest,
})

export const contractOf = (rules: readonly Rule<Port>[], harness: Partial<Harness<Port>> = {}): Contract<Port> => ({
  name: 'sample',
  harness: { name: 'engine 1.0', open: async () => ({ port: port(), peer: async () => port() }), ...harness },
  rules,
})

export const resultOf = async (rule: Rule<Port>, harness: Partial<Harness<Port>> = {}): Promise<RuleResult> => {
  const { results } = await runContract(contractOf([rule], harness))
  const result = results[0]
  if (result === undefined) throw new Error('no result')
  return result
}

export const holds = ruleOf('S-1', async () => {})
export const breaks = ruleOf('S-2', async ({ observe }) => {
  observe({ seen: 'a history' })
  throw new Error('two writers won')
})
