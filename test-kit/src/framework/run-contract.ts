import { messageOf, RuleFailure } from './failure.ts'
import type { StepListener } from './harness-steps.ts'
import type { Contract, Report, Rule, RuleResult } from './rule.ts'
import type { RunEvent } from './run-events.ts'
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
  /** Hears what happens while the rules run. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
}

/** After so many rules in which a step of the harness did not end, the other rules are not tried: each would take as long. */
const maxHangs = 3

/**
 * Runs every rule of a contract. Never rejects because of a rule: the report has its failure. If the harness hangs in three rules, the
 * rules that did not begin end in an error.
 */
export const runContract = async <Port>(contract: Contract<Port>, options: RunContractOptions = {}): Promise<Report> => {
  const { concurrency = 8, onEvent = () => {} } = options
  const seed = seedOf(options)
  const rules = selectedRules(contract, options)
  const results = new Map<Rule<Port>, RuleResult>()
  const hangs: Hang[] = []
  const run = async (rule: Rule<Port>): Promise<RuleResult> => {
    if (hangs.length >= maxHangs) return notTried(rule, hangs)
    onEvent({ type: 'rule began', id: rule.id, kind: rule.kind, title: rule.title })
    return resultOf(contract, rule, {
      seed,
      onStep: (step, boundMs, awaited = () => []) => onEvent({ type: 'step began', id: rule.id, step, boundMs, awaited }),
      onHang: (step) => hangs.push({ id: rule.id, step }),
    })
  }
  const runAll = async (waiting: Rule<Port>[]): Promise<void> => {
    for (let rule = waiting.shift(); rule !== undefined; rule = waiting.shift()) {
      const result = await run(rule)
      results.set(rule, result)
      onEvent({ type: 'rule ended', result })
    }
  }
  // A restart of the engine would disturb the rules beside it.
  const peaceful = rules.filter(({ kind }) => kind !== 'fault')
  await Promise.all(Array.from({ length: concurrency }, () => runAll(peaceful)))
  await runAll(rules.filter(({ kind }) => kind === 'fault'))
  const strays = takeStrayRejections().map(strayRejection)
  for (const result of strays) onEvent({ type: 'rule ended', result })
  const all = [...rules.flatMap((rule) => results.get(rule) ?? []), ...strays]
  return {
    contract: contract.name,
    subject: contract.harness.name,
    results: all,
    ok: all.every(({ status }) => status !== 'failed' && status !== 'error'),
  }
}

/** The rules of a contract that the options ask for. */
export const selectedRules = <Port>({ rules }: Contract<Port>, { only = [''] }: Pick<RunContractOptions, 'only'>): readonly Rule<Port>[] =>
  rules.filter(({ id }) => only.some((start) => id.startsWith(start)))

/** Runs one rule. Never rejects. */
export const resultOf = async <Port>(
  contract: Contract<Port>,
  rule: Rule<Port>,
  settings: RunSettings & StepListener,
): Promise<RuleResult> => {
  const startedAt = performance.now()
  const result = (status: RuleResult['status'], message?: string): RuleResult =>
    resultWith(rule, status, performance.now() - startedAt, message)
  try {
    const outcome = await runRule(contract, rule, settings)
    return outcome.type === 'held' ? result('passed') : result('not shown', outcome.why)
  } catch (error) {
    return error instanceof RuleFailure ? result(error.status, error.message) : result('error', messageOf(error))
  }
}

const resultWith = (
  { id, kind, title }: Pick<RuleResult, 'id' | 'kind' | 'title'>,
  status: RuleResult['status'],
  ms: number,
  message?: string,
): RuleResult => ({ id, kind, title, status, ms, ...(message === undefined ? {} : { message }) })

/** A step of the harness that did not end, and the rule that it belongs to. */
interface Hang {
  readonly id: string
  readonly step: string
}

const notTried = (rule: Rule<never>, hangs: readonly Hang[]): RuleResult =>
  resultWith(
    rule,
    'error',
    0,
    `Not tried: the harness hung before, ${hangs
      .slice(0, maxHangs)
      .map(({ id, step }) => `in "${step}" for ${id}`)
      .join(', ')}`,
  )

const strayRejection = ({ reason, ruleIds }: StrayRejection): RuleResult =>
  resultWith(
    { id: 'unhandled', kind: 'plain', title: 'every rejected promise is handled' },
    'failed',
    0,
    `while these rules ran: ${ruleIds.join(', ')}\n${messageOf(reason)}`,
  )
