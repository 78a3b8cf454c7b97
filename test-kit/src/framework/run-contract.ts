import { messageOf, RuleFailure } from './failure.ts'
import type { Contract, Report, Rule, RuleResult } from './rule.ts'
import { runRule } from './run-rule.ts'
import type { RunSettings } from './settings.ts'
import { seedOf } from './settings.ts'
import type { StrayRejection } from './unhandled-rejections.ts'
import { takeStrayRejections } from './unhandled-rejections.ts'

export interface RunContractOptions extends RunSettings {
  /** Only rules whose id begins with one of these. Default: all. */
  readonly only?: readonly string[] | undefined
  /** How many rules run at the same time. Default 8. Rules of kind `fault` run one by one, after the others. */
  readonly concurrency?: number | undefined
}

/** Runs every rule of a contract. Never rejects because of a rule: the report has its failure. */
export const runContract = async <Port>(contract: Contract<Port>, options: RunContractOptions = {}): Promise<Report> => {
  const { only = [''], concurrency = 8 } = options
  const seed = seedOf(options)
  const rules = contract.rules.filter(({ id }) => only.some((start) => id.startsWith(start)))
  const results = new Map<Rule<Port>, RuleResult>()
  const runAll = async (waiting: Rule<Port>[]): Promise<void> => {
    for (let rule = waiting.shift(); rule !== undefined; rule = waiting.shift()) results.set(rule, await resultOf(contract, rule, { seed }))
  }
  // A restart of the engine would disturb the rules beside it.
  const peaceful = rules.filter(({ kind }) => kind !== 'fault')
  await Promise.all(Array.from({ length: concurrency }, () => runAll(peaceful)))
  await runAll(rules.filter(({ kind }) => kind === 'fault'))
  const all = [...rules.flatMap((rule) => results.get(rule) ?? []), ...takeStrayRejections().map(strayRejection)]
  return {
    contract: contract.name,
    subject: contract.harness.name,
    results: all,
    ok: all.every(({ status }) => status !== 'failed' && status !== 'error'),
  }
}

/** Runs one rule. Never rejects. */
export const resultOf = async <Port>(contract: Contract<Port>, rule: Rule<Port>, settings: RunSettings): Promise<RuleResult> => {
  const { id, kind, title } = rule
  const startedAt = performance.now()
  const result = (status: RuleResult['status'], message?: string): RuleResult => ({
    id,
    kind,
    title,
    status,
    ms: performance.now() - startedAt,
    ...(message === undefined ? {} : { message }),
  })
  try {
    const outcome = await runRule(contract, rule, settings)
    return outcome.type === 'held' ? result('passed') : result('not shown', outcome.why)
  } catch (error) {
    return error instanceof RuleFailure ? result(error.status, error.message) : result('error', messageOf(error))
  }
}

const strayRejection = ({ reason, ruleIds }: StrayRejection): RuleResult => ({
  id: 'unhandled',
  kind: 'plain',
  title: 'every rejected promise is handled',
  status: 'failed',
  ms: 0,
  message: `while these rules ran: ${ruleIds.join(', ')}\n${messageOf(reason)}`,
})
