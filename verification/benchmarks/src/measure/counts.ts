import type { Channel, ConfirmChannel, ConsumeMessage } from 'amqplib'
import { connect } from 'amqplib'
import { Client, types } from 'cassandra-driver'

/** The requests and messages of one process, counted at the drivers. */
export interface Counts {
  /** Conditional requests: each is a round of Paxos. */
  conditional: number
  /** Statements in them. */
  conditionalStatements: number
  /** Plain writes: single statements and batches. */
  writes: number
  writtenStatements: number
  reads: number
  serialReads: number
  /** Messages that were published to a queue, and to an exchange. */
  sent: number
  announced: number
  delivered: number
  acknowledged: number
}

const zero: Counts = {
  conditional: 0,
  conditionalStatements: 0,
  writes: 0,
  writtenStatements: 0,
  reads: 0,
  serialReads: 0,
  sent: 0,
  announced: 0,
  delivered: 0,
  acknowledged: 0,
}

let counts = { ...zero }

export const takeCounts = (): Counts => {
  const taken = counts
  counts = { ...zero }
  return taken
}

export const sumOf = (all: readonly Counts[]): Counts => {
  const sum = { ...zero }
  for (const one of all) for (const key of Object.keys(zero) as (keyof Counts)[]) sum[key] += one[key]
  return sum
}

const isConditional = (cql: string): boolean => /\sIF\s/.test(cql)

const serial: ReadonlySet<unknown> = new Set([types.consistencies.serial, types.consistencies.localSerial])

const countStatements = (queries: readonly string[], options: { readonly consistency?: number } | undefined): void => {
  const [first = ''] = queries
  if (first.trimStart().startsWith('SELECT')) {
    if (serial.has(options?.consistency)) counts.serialReads++
    else counts.reads++
  } else if (queries.some(isConditional)) {
    counts.conditional++
    counts.conditionalStatements += queries.length
  } else {
    counts.writes++
    counts.writtenStatements += queries.length
  }
}

type AnyFunction = (this: unknown, ...args: readonly never[]) => unknown

/** Calls a function before a method of a prototype. */
const before = <Name extends string>(
  prototype: Readonly<Record<Name, AnyFunction>>,
  name: Name,
  look: (args: readonly unknown[]) => readonly unknown[] | void,
): void => {
  const original = prototype[name]
  Object.defineProperty(prototype, name, {
    configurable: true,
    writable: true,
    value(this: unknown, ...args: readonly never[]): unknown {
      return original.apply(this, (look(args) ?? args) as never[])
    },
  })
}

/** Counts everything that this process sends through either driver from now on: the adapters use the same modules. */
export const countDrivers = async (amqpUrl: string): Promise<void> => {
  const client = Client.prototype as unknown as Record<'execute' | 'batch', AnyFunction>
  before(client, 'execute', ([query, , options]) => countStatements([query as string], options as object))
  before(client, 'batch', ([queries, options]) =>
    countStatements(
      (queries as readonly (string | { readonly query: string })[]).map((one) => (typeof one === 'string' ? one : one.query)),
      options as object,
    ),
  )
  // The driver does not export its channel classes: a channel leads to them.
  const model = await connect(amqpUrl, { noDelay: true })
  const channel: ConfirmChannel = await model.createConfirmChannel()
  const base = Object.getPrototypeOf(Object.getPrototypeOf(channel)) as Channel
  const methods = base as unknown as Record<'publish' | 'ack' | 'consume', AnyFunction>
  before(methods, 'publish', ([exchange]) => void (exchange === '' ? counts.sent++ : counts.announced++))
  before(methods, 'ack', () => void counts.acknowledged++)
  before(methods, 'consume', ([queue, onMessage, options]) => {
    const counting = (message: ConsumeMessage | null): void => {
      if (message !== null) counts.delivered++
      ;(onMessage as (message: ConsumeMessage | null) => void)(message)
    }
    return [queue, counting, options]
  })
  await model.close()
}
