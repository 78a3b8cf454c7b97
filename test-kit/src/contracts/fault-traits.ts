import { setTimeout as sleep } from 'node:timers/promises'
import type { Faults, Subject } from '../framework/harness.ts'
import type { Rule, RuleContext } from '../framework/rule.ts'
import { failedWith, holds } from './expectations.ts'
import type { PortCall, UnderWay } from './port-call.ts'
import { turns, underWay } from './port-call.ts'

/**
 * What a port does beside its calls, such as delivering: begun before the first fault; the returned function is called after each fault, when
 * calls succeed again, with the step for its sentences ("after cut 1 of 2").
 */
export type Probe<Port> = (context: RuleContext<Port>, clients: readonly Port[]) => Promise<(step: string) => Promise<void>>

/**
 * What every port does in a fault: every call ends in time, with its result, UNAVAILABLE or OUTCOME_UNKNOWN, never with a result of its own
 * where no answer can come, and afterwards every method of every client succeeds again by itself, each time. The ids end in -F.1 to -F.6.
 */
export const faultTraits = <Port>(prefix: string, calls: readonly PortCall<Port>[], probe?: Probe<Port>): readonly Rule<Port>[] =>
  traits.map(({ fault, title, hint, times, cause }, index) => ({
    id: `${prefix}-F.${index + 1}`,
    kind: 'fault',
    title,
    hint,
    notShown: needs(fault),
    run: async (context) => {
      const clients = [context.port, await context.peer()]
      const stage = new Stage(context, clients, calls)
      await stage.recovers('before the first fault')
      const check = await probe?.(context, clients)
      for (let time = 1; time <= times; time++) {
        const step = `${fault} ${time} of ${times}`
        await cause(context.faults, stage, `in ${step}`, time)
        await stage.recovers(`after ${step}`)
        await check?.(`after ${step}`)
      }
    },
  }))

const needs =
  (fault: keyof Faults) =>
  ({ faults }: Subject<unknown>): string | undefined =>
    faults?.[fault] === undefined ? `the harness has no fault "${fault}"` : undefined

interface FaultTrait {
  readonly fault: keyof Faults
  readonly title: string
  readonly hint: string
  /** How often: an adapter may recover once, and never again. */
  readonly times: number
  /** Causes the fault, makes calls in it, and ends it. */
  cause(faults: Required<Faults>, stage: CallStage, step: string, time: number): Promise<void>
}

/** The calls of a rule, whatever the port. */
interface CallStage {
  /** Calls every method of every client. */
  begin(): readonly UnderWay[]
  /** Waits until the calls have ended, and returns their failures. */
  ended(waiting: readonly UnderWay[], step: string): Promise<readonly Error[]>
  /** Waits until the calls have ended, and expects each of them to have failed, because no answer can have come. */
  unanswered(waiting: readonly UnderWay[], step: string): Promise<void>
}

const allowed = ['UNAVAILABLE', 'OUTCOME_UNKNOWN']

/** How many rounds of calls have to succeed one after the other: not every call may use the same connection. */
const roundsInARow = 3

class Stage<Port> implements CallStage {
  readonly #context: RuleContext<Port>
  readonly #clients: readonly Port[]
  readonly #calls: readonly PortCall<Port>[]

  constructor(context: RuleContext<Port>, clients: readonly Port[], calls: readonly PortCall<Port>[]) {
    this.#context = context
    this.#clients = clients
    this.#calls = calls
  }

  begin(): readonly UnderWay[] {
    return this.#clients.flatMap((port, index) =>
      this.#calls.map(({ method, call }) => underWay(`${method} of client ${index + 1}`, async () => call(port))),
    )
  }

  async ended(waiting: readonly UnderWay[], step: string): Promise<readonly Error[]> {
    const failures: Error[] = []
    for (const call of waiting) {
      const thrown = await this.#context.within(`${call.what} ends, ${step}`, call.end)
      if (thrown === undefined) continue
      failedWith(thrown, allowed, `${call.what}, ${step}`)
      this.#context.observe({ step, call: call.what, failure: thrown })
      failures.push(thrown as Error)
    }
    return failures
  }

  async unanswered(waiting: readonly UnderWay[], step: string): Promise<void> {
    await this.ended(waiting, step)
    for (const { what, end } of waiting)
      holds(
        (await end) !== undefined,
        `${what} succeeded, ${step}, although no answer can have come: the adapter gave one itself, or the fault does not reach its connection`,
      )
  }

  /** Waits until every method of every client succeeds, and goes on to succeed. */
  async recovers(step: string): Promise<void> {
    let inARow = 0
    await this.#context.waitUntil(`every method of every client succeeds, ${roundsInARow} times in a row, ${step}`, async () => {
      const [failure] = await this.ended(this.begin(), step)
      inARow = failure === undefined ? inARow + 1 : 0
      // The wait says what its last failure was.
      if (failure !== undefined) throw failure
      return inARow === roundsInARow
    })
  }
}

/** How often callers try while connections are refused, and how long they pause between two tries: an outage of seconds, and of many tries. */
const tries = 10
const pauseMs = 200

const during = async (heal: () => Promise<void>, body: () => Promise<void>): Promise<void> => {
  try {
    await body()
  } finally {
    await heal()
  }
}

const traits: readonly FaultTrait[] = [
  {
    fault: 'cut',
    title: 'when connections are cut, every call ends in time, and afterwards every method of every client succeeds again, each time',
    hint: 'reconnect by yourself, as often as it takes; a call whose connection breaks is UNAVAILABLE or OUTCOME_UNKNOWN',
    times: 4,
    async cause(faults, stage, step) {
      const waiting = stage.begin()
      await turns(2)
      await faults.cut()
      await stage.ended(waiting, step)
    },
  },
  {
    fault: 'refuse',
    title:
      'while connections are refused for seconds, every call fails in time, and afterwards every method of every client succeeds again, each time',
    hint: 'never give up reconnecting, and let the pause between two tries grow to seconds, not to minutes; an empty result is no substitute for an answer',
    times: 2,
    cause: async (faults, stage, step, time) =>
      during(await faults.refuse(), async () => {
        const rounds = time === 1 ? tries : 1
        const waiting: UnderWay[][] = []
        for (let count = 1; count <= rounds; count++) {
          waiting.push([...stage.begin()])
          if (count < rounds) await sleep(pauseMs)
        }
        await stage.unanswered(waiting.flat(), step)
      }),
  },
  {
    fault: 'stall',
    title: 'while the engine is silent, every call fails in time, and afterwards every method of every client succeeds again, each time',
    hint: 'bound the wait for each answer, and fail without one: an empty result is no substitute',
    times: 2,
    cause: async (faults, stage, step) => during(await faults.stall(), () => stage.unanswered(stage.begin(), step)),
  },
  {
    fault: 'silence',
    title:
      'connections that fall silent and are never closed are given up: every call ends in time, and afterwards every method of every client succeeds again, each time',
    hint: 'when an answer is late, or a heartbeat, close the connection and open another: the other side may be gone without a word',
    times: 2,
    async cause(faults, stage, step) {
      await faults.silence()
      await stage.ended(stage.begin(), step)
    },
  },
  {
    fault: 'loseReplies',
    title: 'while answers are lost, every call fails in time, and afterwards every method of every client succeeds again, each time',
    hint: 'bound the wait for each answer, and fail without one; a write is then OUTCOME_UNKNOWN',
    times: 2,
    cause: async (faults, stage, step) => during(await faults.loseReplies(), () => stage.unanswered(stage.begin(), step)),
  },
  {
    fault: 'restart',
    title: 'while the engine restarts, every call ends in time, and afterwards every method of every client succeeds again',
    hint: 'an engine that is just starting may accept connections and refuse requests: that is UNAVAILABLE, and passes',
    times: 1,
    async cause(faults, stage, step) {
      let isOver = false
      const restarting = faults.restart().finally(() => (isOver = true))
      // It is awaited below, but may fail earlier.
      restarting.catch(() => {})
      do {
        await stage.ended(stage.begin(), step)
        await turns(1)
      } while (!isOver)
      await restarting
    },
  },
]
