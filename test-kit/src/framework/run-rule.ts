import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { seededRandom } from '@taskledger/core/testing'
import { bounded, Waits } from './deadlines.ts'
import { errorOf, failureOf, HarnessFailure } from './failure.ts'
import type { StepListener } from './harness-steps.ts'
import { byHarness, faultsOf, hooksOf } from './harness-steps.ts'
import type { Subject, Timing } from './harness.ts'
import type { Contract, Rule, RuleContext } from './rule.ts'
import type { RunSettings } from './settings.ts'
import { seedOf, timesOf } from './settings.ts'
import type { Rejections } from './unhandled-rejections.ts'
import { failOnRejections, recordRejections } from './unhandled-rejections.ts'

/** No known adapter reads more rows at a time. */
const defaultPageRows = 1_000

/** How many deadlines a rule may take in total: a rule waits many times. */
const maxDeadlines = 30

/** The outcome of a rule that did not fail. */
export type RuleOutcome = { readonly type: 'held' } | { readonly type: 'not shown'; readonly why: string }

/**
 * Opens the subject, runs one rule on it, and closes everything.
 *
 * @throws {@link RuleFailure}.
 */
export const runRule = <Port>(
  contract: Contract<Port>,
  rule: Rule<Port>,
  settings: RunSettings & StepListener = {},
): Promise<RuleOutcome> =>
  recordRejections(rule.id, async (rejections) => {
    const { name, timing, pageRows = defaultPageRows } = contract.harness
    const times = timesOf(timing)
    const namespace = namespaceFor(rule.id)
    let outcome: RuleOutcome = { type: 'held' }
    try {
      await withSubject(contract, { namespace, times, listener: settings }, async (subject) => {
        const why = rule.notShown?.(subject)
        if (why === undefined)
          await attempt(rule, name, subject, { namespace, pageRows, times, listener: settings, seed: seedOf(settings) }, rejections)
        else outcome = { type: 'not shown', why }
      })
    } catch (error) {
      throw error instanceof HarnessFailure ? errorOf(rule, name, error) : error
    }
    return outcome
  })

interface SubjectSettings {
  readonly namespace: string
  readonly times: Required<Timing>
  readonly listener: StepListener
}

/**
 * Opens a subject, uses it and disposes of it. Of two failures the first one is thrown: a failure to close says less.
 *
 * @throws {@link HarnessFailure}, and whatever the use throws.
 */
export const withSubject = async <Port>(
  { harness }: Contract<Port>,
  { namespace, times, listener }: SubjectSettings,
  use: (subject: Subject<Port>) => Promise<void>,
): Promise<void> => {
  const subject = await byHarness('open', times.openMs, listener, () => harness.open({ namespace }))
  const failures: unknown[] = []
  try {
    await use(subject)
  } catch (error) {
    failures.push(error)
  }
  try {
    await byHarness('dispose', times.disposeMs, listener, () => subject[Symbol.asyncDispose]?.())
  } catch (error) {
    failures.push(error)
  }
  if (failures.length > 0) throw failures[0]
}

/** A valid name of a keyspace, table, prefix or folder: up to 40 lower-case letters, digits and underscores. */
export const namespaceFor = (id: string): string =>
  `t_${process.pid}_${id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 16)}_${randomUUID().slice(0, 8)}`

interface AttemptSettings extends SubjectSettings {
  readonly pageRows: number
  readonly seed: number
}

const attempt = async <Port>(
  rule: Rule<Port>,
  name: string,
  subject: Subject<Port>,
  { namespace, pageRows, seed, times, listener }: AttemptSettings,
  rejections: Rejections,
): Promise<void> => {
  const { deadlineMs } = times
  let observed: readonly unknown[] = []
  const waits = new Waits(deadlineMs)
  const peers: Port[] = []
  const onRule = (): void => listener.onStep?.('rule', deadlineMs * maxDeadlines, () => waits.open)
  const runHook = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    const result = await byHarness(step, times.hookMs, listener, work)
    onRule()
    return result
  }
  const context: RuleContext<Port> = {
    namespace,
    pageRows,
    seed,
    deadlineMs,
    ...hooksOf(subject, runHook),
    faults: faultsOf(subject, runHook),
    async peer() {
      const peer = await waits.within('another client opens', subject.peer())
      peers.push(peer)
      return peer
    },
    random: seededRandom(seed, rule.id),
    within: (sentence, promise) => waits.within(sentence, promise),
    waitUntil: (sentence, condition) => waits.waitUntil(sentence, condition),
    observe(seen) {
      observed = [seen]
    },
  }
  try {
    onRule()
    await waits.all(maxDeadlines, rule.run(context))
    await failOnRejections(rejections)
  } catch (cause) {
    if (cause instanceof HarnessFailure) throw cause
    throw failureOf(rule, name, cause, { seed, observed, awaited: waits.waitOf(cause), inspected: await stateOf(subject) })
  } finally {
    listener.onStep?.('close the clients', deadlineMs)
    await closeAll(peers, deadlineMs)
  }
}

const stateOf = async (subject: Pick<Subject<unknown>, 'inspect'>): Promise<readonly unknown[]> => {
  if (subject.inspect === undefined) return []
  try {
    return [await bounded(5_000, 'the hook "inspect" ends', Promise.resolve(subject.inspect()))]
  } catch (error) {
    return [error]
  }
}

/** Closes the clients of the rule. A client that was killed, or whose engine is down, may fail to close: that is not a failure of the rule. */
const closeAll = async (peers: readonly unknown[], deadlineMs: number): Promise<void> => {
  const closings = peers.map(async (peer) => {
    if (typeof peer === 'object' && peer !== null && 'close' in peer && typeof peer.close === 'function') await peer.close()
  })
  await Promise.allSettled(closings.map((closing) => bounded(deadlineMs, 'a client closes', closing)))
}
