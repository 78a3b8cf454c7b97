import type { TaskId } from '../../domain/task-id.ts'
import type { CallOptions } from '../../ports/call-options.ts'
import type { ChecksOf } from '../../ports/shared/check-options.ts'
import { checkOptions } from '../../ports/shared/check-options.ts'
import { isUnreadableNode } from '../../ports/node-registry.ts'
import { checkText, checkWhole, wrongOption } from '../../ports/shared/checks.ts'
import type { DeadLetter } from '../../ports/work-queue.ts'
import { checkQueueName } from '../../tasks/check-declaration.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'
import { callChecks, checkCall } from '../node/checks.ts'
import { DeadLetterNotFound } from '../node/errors.ts'
import type { NodeContext } from '../node/context.ts'

/** Names a dead letter. */
export interface DeadLetterKey {
  /** The queue of the message. */
  readonly queue: string
  /** The id of the letter in that queue. Equal copies of a message may share an id: they are one letter here. */
  readonly id: string
}

/** A message that no worker could use, as people see it. */
export interface DeadLetterDetails extends DeadLetterKey {
  /** The task that the message is about; absent if the message cannot be decoded. */
  readonly taskId?: TaskId
  /** Why it was dead-lettered; absent if the engine did it without a reason. */
  readonly reason?: string
  /** When it was dead-lettered, in milliseconds since 1970; absent if the engine does not say. */
  readonly deadAt?: number
  /** How often it was released before, for other workers to try. */
  readonly releases: number
  /** The text of the message as the queue has it, at most its first 16,384 characters. */
  readonly text: string
}

/** Which dead letters to list. */
export interface DeadLetterQuery extends CallOptions {
  /** Only those of this queue. Default: those of the queues of this node's tasks, and of the queues that live nodes take tasks from. */
  readonly queue?: string | undefined
  /** The maximum number of letters, 1 to 10,000. Default 100. */
  readonly limit?: number | undefined
}

const resendChecks = { ...callChecks, queue: checkQueueName }

const queryChecks = {
  ...resendChecks,
  limit: (name: string, value: unknown) => checkWhole(name, value, 1, 10_000),
} satisfies ChecksOf<DeadLetterQuery>

/**
 * The messages that no worker could use: released too often, or not to be decoded. Each stays until somebody sends it again or removes it. A
 * task that waits does not depend on its dead letter: a janitor sends it another message.
 */
export class DeadLetters {
  readonly #node: NodeContext
  readonly #registry: TaskRegistry

  /** @internal */
  constructor(parts: { readonly node: NodeContext; readonly registry: TaskRegistry }) {
    this.#node = parts.node
    this.#registry = parts.registry
  }

  /**
   * The dead letters, queue by queue, the oldest of each first. While a client reads them, other clients may miss some of them, so one list
   * may be short; the letters stay.
   *
   * @throws `MISUSE` if the query is wrong; `UNAVAILABLE` or `OUTCOME_UNKNOWN` if messaging or storage fails; `CLOSED`, or the signal's
   * reason.
   */
  async list(query: DeadLetterQuery = {}): Promise<readonly DeadLetterDetails[]> {
    this.#node.closed.throwIfAborted()
    const { queue, limit = 100, signal } = checkOptions('deadLetters.list', query, queryChecks)
    const queues = queue === undefined ? await this.#queues(signal) : [queue]
    const found = new Map<string, DeadLetterDetails>()
    for (const name of queues)
      for await (const letter of this.#read(name, signal)) {
        if (found.size === limit) return [...found.values()]
        const details = detailsOf(name, letter)
        found.set(JSON.stringify([name, letter.id]), details)
      }
    return [...found.values()]
  }

  /**
   * One dead letter.
   *
   * @throws `DEAD_LETTER_NOT_FOUND` if it is not there (any more); otherwise as `list`.
   */
  async get(key: DeadLetterKey, options: CallOptions = {}): Promise<DeadLetterDetails> {
    const { queue, id } = this.#checked(key)
    const { signal } = checkCall('deadLetters.get', options)
    for await (const letter of this.#read(queue, signal)) if (letter.id === id) return detailsOf(queue, letter)
    throw new DeadLetterNotFound(queue, id)
  }

  /**
   * Sends the message to its queue again, as if it were new, and then removes the letter. After a failure both may be there: resend again, a
   * task runs once whatever the number of its messages.
   *
   * @throws as `get`.
   */
  async resend(key: DeadLetterKey, options: CallOptions = {}): Promise<void> {
    await this.#settle(key, checkCall('deadLetters.resend', options), (letter) => letter.resend())
  }

  /**
   * Sends every message that is dead now to its queue again, as `resend` does.
   *
   * @returns how many there were.
   * @throws as `list`: the letters before the failure were sent, the others stay.
   */
  async resendAll(options: { readonly queue: string } & CallOptions): Promise<number> {
    this.#node.closed.throwIfAborted()
    const { queue, signal } = checkOptions('deadLetters.resendAll', options, resendChecks)
    let count = 0
    for await (const letter of this.#read(checkQueueName('queue', queue), signal)) {
      await this.#node.deadlines.call(signal, () => letter.resend())
      count++
    }
    return count
  }

  /**
   * Removes the letter. Its message is gone, and its task is unchanged.
   *
   * @throws as `get`.
   */
  async remove(key: DeadLetterKey, options: CallOptions = {}): Promise<void> {
    await this.#settle(key, checkCall('deadLetters.remove', options), (letter) => letter.remove())
  }

  async #settle(key: DeadLetterKey, { signal }: CallOptions, settle: (letter: DeadLetter) => Promise<void>): Promise<void> {
    const { queue, id } = this.#checked(key)
    let isFound = false
    for await (const letter of this.#read(queue, signal)) {
      if (letter.id !== id) continue
      await this.#node.deadlines.call(signal, () => settle(letter))
      isFound = true
    }
    if (!isFound) throw new DeadLetterNotFound(queue, id)
  }

  #checked(key: DeadLetterKey): DeadLetterKey {
    this.#node.closed.throwIfAborted()
    if (typeof key !== 'object' || key === null) throw wrongOption('the dead letter', key, 'an object with its queue and its id')
    const { queue, id } = key
    return { queue: checkQueueName('queue', queue), id: checkText('id', id, 200) }
  }

  /** Each step has the time limit of a call. An iteration that is left gives the letters back before it goes on: the next one needs them. */
  async *#read(queue: string, signal: AbortSignal | undefined): AsyncGenerator<DeadLetter, void, undefined> {
    const { messaging, deadlines, closed } = this.#node
    const bound = signal === undefined ? closed : AbortSignal.any([signal, closed])
    const reading = messaging.queue.deadLetters(queue, { signal: bound })[Symbol.asyncIterator]()
    let isLeft = false
    try {
      for (;;) {
        isLeft = false
        const step = await deadlines.call(bound, () => reading.next())
        if (step.done === true) return
        isLeft = true
        yield step.value
      }
    } finally {
      if (isLeft) await deadlines.call(undefined, async () => reading.return?.()).catch(() => {})
    }
  }

  async #queues(signal: AbortSignal | undefined): Promise<readonly string[]> {
    const nodes = await this.#node.deadlines.call(signal, (bound) => this.#node.storage.nodes.live({ signal: bound }))
    const declared = this.#registry.types().flatMap((type) => this.#registry.get(type)?.queue ?? [])
    return [...new Set([...declared, ...nodes.flatMap((node) => (isUnreadableNode(node) ? [] : Object.keys(node.queues)))])].sort()
  }
}

const detailsOf = (queue: string, { id, message, why, deadAt, releases, text }: DeadLetter): DeadLetterDetails => ({
  queue,
  id,
  ...(message === undefined ? {} : { taskId: message.taskId }),
  ...(why === undefined ? {} : { reason: why }),
  ...(deadAt === undefined ? {} : { deadAt }),
  releases,
  text,
})
