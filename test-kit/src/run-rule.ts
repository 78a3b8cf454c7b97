import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Faults, Subject } from './harness.ts'
import { errorOf, failureOf } from './failure.ts'
import type { Contract, Rule, RuleContext } from './rule.ts'
import { seededRandom } from './seeded-random.ts'
import type { RunSettings } from './settings.ts'
import { seedOf, timesOf } from './settings.ts'

/** How long a rule may take in all, in deadlines: rules wait many times. */
const mostDeadlines = 30

/** What came of a rule that was not broken. */
export type RuleOutcome = { readonly type: 'held' } | { readonly type: 'not shown'; readonly why: string }

/**
 * Opens the subject, runs one rule on it, and puts everything away.
 *
 * @throws {@link RuleFailure}.
 */
export const runRule = async <Port>(contract: Contract<Port>, rule: Rule<Port>, settings: RunSettings = {}): Promise<RuleOutcome> => {
  const unhandled = hearUnhandled()
  const namespace = `t_${process.pid}_${rule.id.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')}_${randomUUID().slice(0, 8)}`
  let subject: Subject<Port>
  try {
    subject = await contract.harness.open({ namespace })
  } catch (cause) {
    throw errorOf(rule as Rule<never>, contract as unknown as Contract<never>, 'open the subject', cause)
  }
  let failure: unknown
  const why = rule.notShown?.(subject)
  if (why === undefined) {
    try {
      await attempt(contract, rule, subject, namespace, seedOf(settings), unhandled)
    } catch (error) {
      failure = error
    }
  }
  unhandled.stop()
  try {
    await subject[Symbol.asyncDispose]?.()
  } catch (cause) {
    // What the rule found is worth more than what went wrong after it.
    failure ??= errorOf(rule as Rule<never>, contract as unknown as Contract<never>, 'put the subject away', cause)
  }
  if (failure !== undefined) throw failure
  return why === undefined ? { type: 'held' } : { type: 'not shown', why }
}

const attempt = async <Port>(
  contract: Contract<Port>,
  rule: Rule<Port>,
  subject: Subject<Port>,
  namespace: string,
  seed: number,
  unhandled: Unhandled,
): Promise<void> => {
  const { deadlineMs, settleMs } = timesOf(contract.harness.timing)
  let observed: readonly unknown[] = []
  const peers: Port[] = []
  const within = <T>(sentence: string, promise: Promise<T>): Promise<T> => bounded(deadlineMs, sentence, promise)
  const context: RuleContext<Port> = {
    ...subject,
    faults: (subject.faults ?? {}) as Required<Faults>,
    async peer() {
      const peer = await within('another client was opened', subject.peer())
      peers.push(peer)
      return peer
    },
    namespace,
    seed,
    random: seededRandom(seed),
    deadlineMs,
    settleMs,
    within,
    async waitUntil(sentence, condition) {
      const until = Date.now() + deadlineMs
      while (!(await within(sentence, Promise.resolve(condition())))) {
        if (Date.now() >= until) throw new Error(`Within ${deadlineMs} ms it did not happen that ${sentence}`)
        await sleep(5)
      }
    },
    observe(seen) {
      observed = [seen]
    },
  }
  try {
    await bounded(deadlineMs * mostDeadlines, 'the rule ended', rule.run(context))
    await unhandled.check()
  } catch (cause) {
    const inspected = subject.inspect === undefined ? [] : [stateOf(subject)]
    throw failureOf(rule as Rule<never>, contract as unknown as Contract<never>, cause, { seed, observed, inspected })
  } finally {
    await closeAll(peers, deadlineMs)
  }
}

const stateOf = <Port>(subject: Subject<Port>): unknown => {
  try {
    return subject.inspect?.()
  } catch (error) {
    return error
  }
}

const bounded = async <T>(ms: number, sentence: string, promise: Promise<T>): Promise<T> => {
  const timer = new AbortController()
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`Within ${ms} ms it did not happen that ${sentence}`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}

/** The rule's own clients. One that was killed or closed by the rule may not close again: that is no finding. */
const closeAll = async (peers: readonly unknown[], deadlineMs: number): Promise<void> => {
  const closings = peers.map(async (peer) => {
    if (typeof peer === 'object' && peer !== null && 'close' in peer && typeof peer.close === 'function') await peer.close()
  })
  await Promise.allSettled(closings.map((closing) => bounded(deadlineMs, 'a client closed', closing)))
}

interface Unhandled {
  check(): Promise<void>
  stop(): void
}

/** Rules that run at this moment: with one alone, a rejection that nobody handles is its own. */
let listening = 0

const hearUnhandled = (): Unhandled => {
  const reasons: unknown[] = []
  const listener = (reason: unknown): void => void reasons.push(reason)
  let isAlone = listening === 0
  listening++
  process.on('unhandledRejection', listener)
  return {
    async check() {
      isAlone &&= listening === 1
      await new Promise((resolve) => setImmediate(resolve))
      if (isAlone && reasons.length > 0) throw new Error('a promise was rejected and nobody handled it', { cause: reasons[0] })
    },
    stop() {
      listening--
      process.off('unhandledRejection', listener)
    },
  }
}
