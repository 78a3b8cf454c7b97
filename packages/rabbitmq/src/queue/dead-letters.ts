import { createHash } from 'node:crypto'
import type { Channel, ChannelModel, GetMessage } from 'amqplib'
import { IllegalOperationError } from 'amqplib'
import { shownMessage } from '@taskledger/core/codec'
import type { DeadLetter } from '@taskledger/core/ports'
import { outcomeUnknown, TaskledgerError, unavailable, within } from '@taskledger/core/ports'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { refusalOfOperation } from '../connection/closes.ts'
import { textOf } from '../connection/refusals.ts'
import { isNotFound } from '../topology/broker-queues.ts'
import { requestWhenOpen } from '../topology/requests.ts'
import { deathOf } from './death.ts'
import type { MessageSender } from './message-sender.ts'

/** What the dead letters of a queue are read with. */
interface DeadLettersParts {
  readonly queue: string
  /** The broker's name of the queue of its dead letters. */
  readonly source: string
  readonly connection: BrokerConnection
  readonly sender: MessageSender
  /** How long each request to the broker may take. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Reads the dead letters of a queue. The broker cannot show a message without handing it out, so each letter is borrowed: it is not
 * acknowledged, and goes back when the iteration ends. If the process or the connection ends first, the broker takes all of them
 * back.
 */
export async function* deadLettersOf(parts: DeadLettersParts): AsyncGenerator<DeadLetter, void, undefined> {
  const channel = await openChannel(parts)
  if (channel === undefined) return
  const borrowed = new BorrowedLetters(channel, parts)
  try {
    for (let letter = await borrowed.next(parts.signal); letter !== undefined; letter = await borrowed.next(parts.signal))
      yield letter.shown
  } finally {
    await borrowed.giveBack()
  }
}

/** How many letters are borrowed at most to give them back in their order. */
const maxInOrder = 10_000

/** A quorum queue mixes letters up of which many are given back at the same time: more than 32 on RabbitMQ 3.10, and fewer on 4.0 under load. */
const atOnceInOrder = 8

/** How often to look whether letters are back in the queue. */
const maxLooks = 100

/** The letters that one iteration has borrowed, on a channel of its own. */
class BorrowedLetters {
  readonly #channel: Channel
  readonly #parts: DeadLettersParts
  readonly #letters: BorrowedLetter[] = []
  /** Letters that come meanwhile wait for the next iteration: otherwise a letter that dies again would come around for ever. */
  #left = Infinity

  constructor(channel: Channel, parts: DeadLettersParts) {
    this.#channel = channel
    this.#parts = parts
  }

  async next(signal: AbortSignal | undefined): Promise<BorrowedLetter | undefined> {
    if (this.#left === 0) return undefined
    const raw = await request({ ...this.#parts, signal }, this.#channel.get(this.#parts.source))
    if (raw === false) return undefined
    this.#left = Math.min(this.#left - 1, raw.fields.messageCount)
    const letter = new BorrowedLetter(raw, this.#channel, this.#parts)
    this.#letters.push(letter)
    return letter
  }

  /** Waits for the letters that are being settled, and gives back the others. */
  async giveBack(): Promise<void> {
    const { signal, timeoutMs } = this.#parts
    await Promise.all(this.#letters.map((letter) => letter.settled))
    try {
      // The broker puts what is given back behind other letters that were given back before: so all of them go back, in their order.
      while (signal?.aborted !== true && this.#letters.length < maxInOrder && (await this.next(signal)) !== undefined);
      await this.#giveBackInOrder(signal)
    } catch {
      // The channel is gone: the broker has taken all of them back.
    }
    for (const letter of this.#letters) letter.giveBack()
    // The broker has taken all of them back when it answers. If it does not answer, it takes them back with the channel.
    await within(closing(this.#channel), { timeoutMs, onTimeout: () => {} })
  }

  /** Gives some letters back, waits until they are in the queue, and goes on with the next. */
  async #giveBackInOrder(signal: AbortSignal | undefined): Promise<void> {
    const borrowed = this.#letters.filter(({ isSettled }) => !isSettled)
    for (let begin = 0; begin + atOnceInOrder < borrowed.length && signal?.aborted !== true; begin += atOnceInOrder) {
      for (const letter of borrowed.slice(begin, begin + atOnceInOrder)) letter.giveBack()
      // Another reader may take them at once.
      for (let look = 0; look < maxLooks; look++) {
        const { messageCount } = await request({ ...this.#parts, signal }, this.#channel.checkQueue(this.#parts.source))
        if (messageCount >= begin + atOnceInOrder) break
      }
    }
  }
}

/** A letter that this client holds until it is settled or given back. */
class BorrowedLetter {
  readonly #raw: GetMessage
  readonly #channel: Channel
  readonly #parts: DeadLettersParts
  #settling: Promise<void> | undefined

  constructor(raw: GetMessage, channel: Channel, parts: DeadLettersParts) {
    this.#raw = raw
    this.#channel = channel
    this.#parts = parts
  }

  get shown(): DeadLetter {
    const { content } = this.#raw
    const { id = createHash('sha256').update(content).digest('hex').slice(0, 32), ...death } = deathOf(this.#raw)
    return {
      id,
      ...shownMessage(content.toString()),
      ...death,
      resend: () => (this.#settling ??= this.#resend()),
      remove: () => (this.#settling ??= this.#acknowledge()),
    }
  }

  /** Resolves when the letter is not being settled. */
  get settled(): Promise<void> {
    return Promise.resolve(this.#settling).catch(() => {})
  }

  /** Whether the letter is settled, or was given back. */
  get isSettled(): boolean {
    return this.#settling !== undefined
  }

  giveBack(): void {
    if (this.isSettled) return
    this.#settling = Promise.resolve()
    ignoringClosed(() => this.#channel.nack(this.#raw, false, true))
  }

  async #resend(): Promise<void> {
    const { sender, queue, signal } = this.#parts
    try {
      await sender.resend(queue, this.#raw, signal)
    } catch (error) {
      // The letter stays: it goes back with the others.
      this.#settling = undefined
      throw error
    }
    await this.#acknowledge()
  }

  /** The broker answers no acknowledgement. It answers the request behind the acknowledgement, and only after it. */
  async #acknowledge(): Promise<void> {
    ignoringClosed(() => this.#channel.ack(this.#raw))
    try {
      await request(this.#parts, this.#channel.checkQueue(this.#parts.source))
    } catch (error) {
      throw outcomeUnknown(`a dead letter of the queue "${this.#parts.queue}" was settled`, error)
    }
  }
}

/** A channel of its own, because the broker takes back all that it has handed out on a channel that closes; nothing without such a queue. */
const openChannel = async ({ connection, source, timeoutMs, signal }: DeadLettersParts): Promise<Channel | undefined> => {
  const failure = `could not read the dead letters in "${source}"`
  const open = async (model: ChannelModel): Promise<Channel | undefined> => {
    try {
      const channel = await model.createChannel()
      channel.on('error', () => {})
      await channel.checkQueue(source)
      return channel
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw refusalOfOperation(error, `the queue "${source}"`) ?? failed(failure, error)
    }
  }
  return requestWhenOpen(connection, failure, { signal, timeoutMs }, open)
}

/** A channel that is closed already cannot be closed: nothing is left to do. */
const closing = async (channel: Channel): Promise<void> => {
  try {
    await channel.close()
  } catch {
    // The broker has taken all letters back.
  }
}

const request = async <Answer>({ timeoutMs, signal, source }: DeadLettersParts, answer: Promise<Answer>): Promise<Answer> => {
  const failure = `could not read the dead letters in "${source}"`
  const onTimeout = (): never => {
    throw unavailable(`${failure}: no answer within ${timeoutMs} ms`)
  }
  try {
    return await within(answer, { timeoutMs, signal, onTimeout })
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof TaskledgerError ? error : failed(failure, error)
  }
}

const failed = (failure: string, error: unknown): TaskledgerError<'UNAVAILABLE'> => unavailable(`${failure}: ${textOf(error)}`, error)

/** On a channel that is closed the broker has taken the letter back. */
const ignoringClosed = (settle: () => void): void => {
  try {
    settle()
  } catch (error) {
    if (!(error instanceof IllegalOperationError)) throw error
  }
}
