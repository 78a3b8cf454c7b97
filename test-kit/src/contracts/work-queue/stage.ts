import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { Consumer, ConsumeMode, DeadLetter, Delivery, TaskId, WorkMessage, WorkQueue } from '@taskledger/core/ports'
import { waitUntil } from '../../framework/deadlines.ts'
import type { Rule, RuleContext } from '../../framework/rule.ts'
import { failedWith, same } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
import { messageWith } from './sample-messages.ts'

/** One run of a handler. It runs until the rule ends it. */
export interface Run {
  readonly taskId: TaskId
  /** Counts the runs of a rule, in the order in which they began. */
  readonly number: number
  readonly delivery: Delivery
  readonly ended: boolean
  /** Ends the handler, with the error where one is given, and does not settle the delivery. */
  end(error?: Error): void
  /** Accepts the delivery once. */
  accept(): Promise<void>
  /** Accepts the delivery and ends the handler. */
  finish(): Promise<void>
}

/** A consumer and its runs. */
export interface Worker {
  readonly consumer: Consumer
  /** In the order in which the handlers began. */
  readonly runs: readonly Run[]
  readonly running: number
  /** The highest number of handlers that ran at the same time. */
  readonly maxRunning: number
}

export interface WorkerOptions {
  readonly queue?: string
  readonly slots?: number
  readonly mode?: ConsumeMode
  /** The signal of the call. */
  readonly signal?: AbortSignal
  /** What a handler does when a task is delivered for the first, second, … `time`. Default: it runs until the rule ends it. */
  readonly handle?: (delivery: Delivery, time: number) => Promise<void>
}

export const acceptAtOnce = (delivery: Delivery): Promise<void> => delivery.accept()

export const idsOf = (items: readonly { readonly taskId: TaskId }[]): readonly TaskId[] => items.map(({ taskId }) => taskId)

/** What a delivery says of those before it. */
export const historyOf = ({ redelivered, releases }: Delivery): Pick<Delivery, 'redelivered' | 'releases'> => ({ redelivered, releases })

/** The ids in a fixed order, for comparisons in which the order does not matter. */
export const sortedIdsOf = (items: readonly { readonly taskId: TaskId }[]): readonly TaskId[] => [...idsOf(items)].sort()

/** The codes of a call that may succeed when it is repeated. */
export const passing: readonly string[] = ['UNAVAILABLE', 'OUTCOME_UNKNOWN']

/** How long a busy handler works, in milliseconds. */
const momentMs = 30

/** The length of the parts of a wait for the time of a lease, in milliseconds. */
const partMs = 10

/** How many sends are under way at most. */
const sentAtOnce = 100

/** How many later messages have to arrive before a rule concludes that nothing else happens. */
const sentinels = 10

/** Consumers, messages and waits for a rule. Handlers end when the rule ends them, and all of them when the rule is over. */
export class Stage {
  /** The queue that most rules work with. */
  readonly queue = 'default'
  readonly #context: RuleContext<WorkQueue>
  readonly #held = new Set<() => void>()
  #over = false
  #sent = 0
  #runs = 0
  #sentinel: { readonly client: WorkQueue; readonly worker: Worker } | undefined

  constructor(context: RuleContext<WorkQueue>) {
    this.#context = context
  }

  /** What to show where the rule fails, as it is then. */
  watch(seen: () => object): void {
    this.#context.observe({ [inspect.custom]: seen })
  }

  async work(client: WorkQueue, { queue = this.queue, slots = 1, mode = 'parallel', handle, signal }: WorkerOptions = {}): Promise<Worker> {
    const worker = { runs: [] as Run[], running: 0, maxRunning: 0 }
    const handler = async (delivery: Delivery): Promise<void> => {
      if (this.#over) return delivery.accept()
      const { run, held } = this.#runOf(delivery)
      worker.runs.push(run)
      worker.maxRunning = Math.max(worker.maxRunning, ++worker.running)
      try {
        await (handle === undefined ? held : handle(delivery, worker.runs.filter(({ taskId }) => taskId === run.taskId).length))
      } finally {
        worker.running--
        run.ended = true
      }
    }
    return Object.assign(worker, { consumer: await client.consume(queue, handler, { slots, mode, ...(signal && { signal }) }) })
  }

  /** Sends messages, one after the other. */
  async send(count: number, queue: string = this.queue): Promise<readonly WorkMessage[]> {
    const messages = Array.from({ length: count }, () => this.message())
    for (const message of messages) await this.#context.port.send(queue, message)
    return messages
  }

  /** Sends many messages, some of them at the same time. */
  async sendMany(count: number): Promise<readonly WorkMessage[]> {
    const messages = Array.from({ length: count }, () => this.message())
    for (let begin = 0; begin < count; begin += sentAtOnce) {
      const sends = messages.slice(begin, begin + sentAtOnce).map((message) => this.#context.port.send(this.queue, message))
      await this.#context.within(`messages ${begin + 1} to ${begin + sends.length} of ${count} are sent`, Promise.all(sends))
    }
    return messages
  }

  /** Sends messages that become dead letters, one after the other, each with its reason and after that many releases. */
  async dies(count: number, { releases = 0 }: { readonly releases?: number } = {}): Promise<readonly WorkMessage[]> {
    const sent: WorkMessage[] = []
    const worker = await this.work(this.#context.port, {
      handle: (delivery) => (delivery.releases < releases ? delivery.release() : delivery.reject(this.reasonOf(sent.length - 1))),
    })
    while (sent.length < count) {
      const message = this.message()
      sent.push(message)
      await this.#context.port.send(this.queue, message)
      await this.#context.waitUntil(
        `message ${sent.length} of ${count} is a dead letter`,
        async () => worker.running === 0 && (await this.deadLetters(this.#context.port)).length === sent.length,
      )
    }
    await this.#context.within('the consumer that rejects closes', worker.consumer.close())
    return sent
  }

  /** Why the message with that index died. */
  reasonOf(index: number): string {
    return `no node knows the type "reindex" (größer als Version ${index})`
  }

  /** The dead letters of a queue. */
  async deadLetters(client: WorkQueue, queue: string = this.queue): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = []
    for await (const letter of client.deadLetters(queue)) letters.push(letter)
    return letters
  }

  message(): WorkMessage {
    return messageWith(this.#context.random, { sentAt: 1_709_208_000_000 + this.#sent++ })
  }

  /** Settles a delivery whose connection may be gone: the call ends, and fails with no other code than one of a fault. Returns its failure. */
  async settle(run: Run | undefined, how: 'accept' | 'release' | 'reject', which: string): Promise<unknown> {
    const call = async (): Promise<void> => {
      if (how === 'accept') await run?.accept()
      else if (how === 'release') await run?.delivery.release()
      else await run?.delivery.reject('rejected by the rule')
    }
    const failure = await this.#context.within(`${how}() ends, ${which}`, outcomeOf(call()))
    if (failure !== undefined) failedWith(failure, passing, `${how}(), ${which}`)
    return failure
  }

  /** Repeats a send over a network with faults until the queue takes the message. `step`: "after the second cut". */
  async sendUntilTaken(
    step: string,
    client: WorkQueue,
    message: WorkMessage = this.message(),
    queue: string = this.queue,
  ): Promise<WorkMessage> {
    await this.#context.waitUntil(`a send succeeds again, ${step}`, async () => {
      try {
        await client.send(queue, message)
        return true
      } catch (error) {
        failedWith(error, passing, `a send, ${step}`)
        return false
      }
    })
    return message
  }

  /** Waits for the messages of a dead client: for the time that the port declares and a deadline more. */
  async comesBack(sentence: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const { port, deadlineMs } = this.#context
    await waitUntil(port.capabilities.redeliveryWithinMs + deadlineMs, sentence, condition)
  }

  /**
   * Lasts for that many times `redeliveryWithinMs`, and looks all the while. This is the length of a lease as the port declares it, and no wait
   * for something that might happen soon. It consists of short waits, so that the timers of an adapter get as many turns on a slow machine.
   */
  async leases(times: number, look: () => void | Promise<void>): Promise<void> {
    const { redeliveryWithinMs } = this.#context.port.capabilities
    for (let left = times * redeliveryWithinMs; left > 0; left -= partMs) {
      await look()
      await sleep(Math.min(left, partMs))
    }
    await look()
  }

  /** The same for at most that many times `redeliveryWithinMs`: for a fault that has to be shorter than a lease. */
  async leasesAtMost(times: number, look: () => void): Promise<void> {
    const until = performance.now() + times * this.#context.port.capabilities.redeliveryWithinMs
    for (let left = Infinity; left > 0; left = until - performance.now()) {
      look()
      await sleep(Math.min(left, partMs))
    }
  }

  /**
   * Gives the engine the opportunity to do what it must not do: waits until later messages have arrived through another queue at another
   * client, one after the other. It looks twice at each, so that timers fire in between. It counts messages and looks, not time, so a slow
   * machine leaves no less opportunity. `step`: "after the resize".
   */
  async quiet(step: string): Promise<void> {
    const queue = 'sentinels'
    if (this.#sentinel === undefined) {
      const client = await this.#context.peer()
      this.#sentinel = { client, worker: await this.work(client, { queue, handle: acceptAtOnce }) }
    }
    const { client, worker } = this.#sentinel
    for (let count = 1; count <= sentinels; count++) {
      const sentinel = this.message()
      await client.send(queue, sentinel)
      let looks = 0
      await this.#context.waitUntil(
        `message ${count} of ${sentinels} arrives through another queue, ${step}`,
        () => idsOf(worker.runs).includes(sentinel.taskId) && ++looks === 2,
      )
    }
  }

  /** Fails where a message is left in the queue. The queue must have no consumer. */
  async nothingLeft(queue: string = this.queue): Promise<void> {
    const sentinel = this.message()
    const worker = await this.arrives(sentinel, async (client) => client.send(queue, sentinel), queue)
    await this.quiet('while a new consumer gets what is left in the queue')
    await this.#context.within('the consumer that looked for messages closes', worker.consumer.close())
    same(idsOf(worker.runs), [sentinel.taskId], 'the tasks that a new consumer gets, when all messages before its own are settled')
  }

  /** Waits until the message reaches a new consumer. */
  async arrives(
    message: WorkMessage,
    begin: (client: WorkQueue) => Promise<void> = async () => {},
    queue: string = this.queue,
  ): Promise<Worker> {
    const client = await this.#context.peer()
    const worker = await this.work(client, { queue, handle: acceptAtOnce })
    await begin(client)
    await this.#context.waitUntil(`the message reaches a new consumer of "${queue}"`, () => idsOf(worker.runs).includes(message.taskId))
    return worker
  }

  /** Lasts as long as a busy handler works. It proves nothing. */
  async moment(): Promise<void> {
    await sleep(momentMs)
  }

  /** Ends every handler, so that clients can close. Later deliveries are accepted at once. */
  end(): void {
    this.#over = true
    for (const letGo of this.#held) letGo()
  }

  /** A promise for a handler to wait for, until `end` is called or the rule is over. */
  hold(): { readonly held: Promise<void>; readonly end: (error?: Error) => void } {
    let resolve = (): void => {}
    let reject = (_error: Error): void => {}
    const held = new Promise<void>((onEnd, onError) => {
      resolve = onEnd
      reject = onError
    })
    this.#held.add(resolve)
    return { held, end: (error) => (error === undefined ? resolve() : reject(error)) }
  }

  #runOf(delivery: Delivery): { run: Run & { ended: boolean }; held: Promise<void> } {
    const { held, end } = this.hold()
    let accepted: Promise<void> | undefined
    const accept = (): Promise<void> => (accepted ??= delivery.accept())
    const finish = async (): Promise<void> => {
      await accept()
      end()
    }
    return { run: { taskId: delivery.message.taskId, number: this.#runs++, delivery, ended: false, end, accept, finish }, held }
  }
}

/** A rule with a stage. */
export interface StagedRule extends Omit<Rule<WorkQueue>, 'run'> {
  run(context: RuleContext<WorkQueue>, stage: Stage): Promise<void>
}

export const staged = (rule: StagedRule): Rule<WorkQueue> => ({
  ...rule,
  run: async (context) => {
    const stage = new Stage(context)
    try {
      await rule.run(context, stage)
    } finally {
      stage.end()
    }
  },
})
