import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { seededRandom } from '@taskledger/core/testing'
import { bounded, Waits } from './deadlines.ts'
import { errorOf, failureOf } from './failure.ts'
import type { Faults, Subject } from './harness.ts'
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
export const runRule = <Port>(contract: Contract<Port>, rule: Rule<Port>, settings: RunSettings = {}): Promise<RuleOutcome> =>
  recordRejections(rule.id, async (rejections) => {
    const { name, open, timing, pageRows = defaultPageRows } = contract.harness
    const times = timesOf(timing)
    const namespace = namespaceFor(rule)
    const byHarness = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
      try {
        return await bounded(times.deadlineMs * maxDeadlines, 'the harness ends', work())
      } catch (cause) {
        throw errorOf(rule, name, step, cause)
      }
    }

    const subject = await byHarness('open the subject', async () => open.call(contract.harness, { namespace }))
    let outcome: RuleOutcome = { type: 'held' }
    let failures: unknown[] = []
    try {
      const why = rule.notShown?.(subject)
      if (why === undefined) await attempt(rule, name, subject, { namespace, pageRows, seed: seedOf(settings), ...times }, rejections)
      else outcome = { type: 'not shown', why }
    } catch (error) {
      failures = [error]
    }
    try {
      await byHarness('dispose of the subject', async () => subject[Symbol.asyncDispose]?.())
    } catch (error) {
      failures.push(error)
    }
    // The first failure is that of the rule. A failure to close says less.
    if (failures.length > 0) throw failures[0]
    return outcome
  })

/** A valid name of a keyspace, table, prefix or folder: up to 40 lower-case letters, digits and underscores. */
const namespaceFor = (rule: Rule<never>): string =>
  `t_${process.pid}_${rule.id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 16)}_${randomUUID().slice(0, 8)}`

const attempt = async <Port>(
  rule: Rule<Port>,
  name: string,
  subject: Subject<Port>,
  settings: Pick<RuleContext<Port>, 'namespace' | 'pageRows' | 'seed' | 'deadlineMs'>,
  rejections: Rejections,
): Promise<void> => {
  const { seed, deadlineMs } = settings
  let observed: readonly unknown[] = []
  const waits = new Waits(deadlineMs)
  const peers: Port[] = []
  const context: RuleContext<Port> = {
    ...settings,
    ...hooksOf(subject),
    faults: (subject.faults ?? {}) as Required<Faults>,
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
    await waits.all(maxDeadlines, rule.run(context))
    await failOnRejections(rejections)
  } catch (cause) {
    throw failureOf(rule, name, cause, { seed, observed, awaited: waits.waitOf(cause), inspected: await stateOf(subject) })
  } finally {
    await closeAll(peers, deadlineMs)
  }
}

/** The hooks of the subject, bound to it in case it is an instance of a class. */
const hooksOf = <Port>(subject: Subject<Port>): Omit<Subject<Port>, 'peer' | 'faults' | typeof Symbol.asyncDispose> => {
  const { port, inject, kill, stallClient, openRefused, rowsRead, inspect } = subject
  return {
    port,
    ...(inject && { inject: inject.bind(subject) }),
    ...(kill && { kill: kill.bind(subject) }),
    ...(stallClient && { stallClient: stallClient.bind(subject) }),
    ...(openRefused && { openRefused: openRefused.bind(subject) }),
    ...(rowsRead && { rowsRead: rowsRead.bind(subject) }),
    ...(inspect && { inspect: inspect.bind(subject) }),
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
