import { setTimeout as sleep } from 'node:timers/promises'
import type { QueryOptions } from 'cassandra-driver'
import { policies, types } from 'cassandra-driver'
import type { Logger } from '@taskledger/core/ports'
import { closedError, consoleLogger, onAbort } from '@taskledger/core/ports'
import type { Connection } from './connect.ts'
import type { RequestKind } from './driver-errors.ts'
import { translated, wasNotSent } from './driver-errors.ts'
import { SessionShare } from './session-share.ts'
import type { CassandraStorageOptions } from './options.ts'
import { Semaphore } from './semaphore.ts'
import { withinMs } from './within-ms.ts'

/** A row as the driver gives it. A bigint comes as a `Long`, or as the client of the caller's own was told: read it as `Number(String(value))`. */
export type Row = Readonly<Record<string, unknown>>

/** A statement with a value for each of its marks. `undefined` leaves a column as it is, null writes a tombstone. */
export interface Statement {
  readonly cql: string
  readonly params: readonly unknown[]
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined
}

export interface BatchOptions extends RequestOptions {
  /** Whether it does no harm twice: a SELECT, an upsert with a timestamp of its own. The driver may then try another host. Default false. */
  readonly isRepeatable?: boolean
}

export interface ExecuteOptions extends BatchOptions {
  /** Sees what conditional writes have decided, those under way included. Default false: a majority. */
  readonly isSerial?: boolean
  /** Definitions cannot be prepared. Default true. */
  readonly isPrepared?: boolean
}

/** What a conditional batch came to, and where it was refused, the rows that stood in its way. */
export interface Verdict {
  readonly applied: boolean
  readonly rows: readonly Row[]
}

/** The driver's own retries are blind: a conditional write that was retried may meet itself as somebody else. */
const noRetry = new policies.retry.FallthroughRetryPolicy()

/** A host that is down is reported within a millisecond: without a pause, callers that try again would spin. */
const notSentPauseMs = 100

/** How long a close waits for what is under way, in milliseconds. */
const closeWithinMs = 2_000

/** One way to the cluster, shared by the ports of a storage: bounds, counts and translates what goes over it. */
export class Session {
  /** The part of every partition key that keeps applications apart. */
  readonly prefix: string
  readonly keyspace: string
  readonly logger: Logger
  readonly #connection: Connection
  readonly #requestTimeoutMs: number
  readonly #consistency: number
  readonly #serialConsistency: number
  readonly #requests: Semaphore
  readonly #conditionals: Semaphore
  /** Ends each wait that is going on. */
  readonly #waits = new Set<(reason: Error) => void>()
  readonly #shares = new Set<SessionShare>()
  #becameIdle: (() => void) | undefined
  #closed: Promise<void> | undefined

  constructor(connection: Connection, options: Omit<CassandraStorageOptions, 'client' | 'contactPoints' | 'localDataCenter'>) {
    const {
      keyspace,
      prefix = 'taskledger',
      consistency = 'local',
      logger = consoleLogger,
      requestTimeoutMs = 8_000,
      maxInFlight,
    } = options
    this.#connection = connection
    this.prefix = prefix
    this.keyspace = keyspace
    this.logger = logger
    this.#requestTimeoutMs = requestTimeoutMs
    this.#consistency = consistency === 'local' ? types.consistencies.localQuorum : types.consistencies.quorum
    this.#serialConsistency = consistency === 'local' ? types.consistencies.localSerial : types.consistencies.serial
    this.#requests = new Semaphore(maxInFlight?.requests ?? 256)
    this.#conditionals = new Semaphore(maxInFlight?.conditional ?? 48)
  }

  /** The table's name, as every statement has to write it: a client of the caller's own may be in any keyspace. */
  table(name: string): string {
    return `"${this.keyspace}".${name}`
  }

  /** A port's share. The session closes with the last of them. */
  share(what: string): SessionShare {
    const share = new SessionShare(what, async () => {
      this.#shares.delete(share)
      if (this.#shares.size === 0) await this.close()
    })
    this.#shares.add(share)
    return share
  }

  /** Runs a statement that no condition guards, and gives all of its rows. */
  async execute(cql: string, params: readonly unknown[], options: ExecuteOptions = {}): Promise<readonly Row[]> {
    const rows: Row[] = []
    for await (const page of this.#pages(cql, params, options)) rows.push(...page)
    return rows
  }

  /** The rows of a SELECT, so many at a time; the next page is asked for when it is needed. */
  async *pages(cql: string, params: readonly unknown[], options: RequestOptions & { readonly fetchSize: number }): AsyncIterable<Row> {
    for await (const page of this.#pages(cql, params, { ...options, isRepeatable: true })) yield* page
  }

  /** Writes statements: those of one partition all or none. */
  async batch(statements: readonly Statement[], { isRepeatable = false, ...options }: BatchOptions = {}): Promise<void> {
    await this.#send('write', options, () => this.#sendTogether(statements, this.#queryOptions(isRepeatable)))
  }

  /** Compares and writes in one partition, in one step: all of it, or nothing. Never retried by the driver. */
  async conditional(statements: readonly Statement[], options: RequestOptions = {}): Promise<Verdict> {
    const result = await this.#send('conditional', options, () => this.#sendTogether(statements, this.#queryOptions(false)))
    const rows = rowsOf(result)
    return { applied: rows[0]?.['[applied]'] === true, rows }
  }

  /** Ends what is under way, within a bound, and lets go of the cluster. A client of the caller's own stays open. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async *#pages(
    cql: string,
    params: readonly unknown[],
    options: ExecuteOptions & { readonly fetchSize?: number },
  ): AsyncIterable<readonly Row[]> {
    const { isSerial = false, isPrepared = true, isRepeatable = false, fetchSize } = options
    const isRead = /^\s*SELECT\b/i.test(cql)
    const queryOptions: QueryOptions = {
      ...this.#queryOptions(isRepeatable || isRead),
      prepare: isPrepared,
      ...(isSerial ? { consistency: this.#serialConsistency } : {}),
      ...(fetchSize === undefined ? {} : { fetchSize }),
    }
    let pageState: string | null | undefined
    do {
      const result: types.ResultSet = await this.#send(isRead ? 'read' : 'write', options, () =>
        this.#connection.client.execute(cql, [...params], isLast(pageState) ? queryOptions : { ...queryOptions, pageState }),
      )
      yield rowsOf(result)
      pageState = result.pageState
    } while (!isLast(pageState))
  }

  #sendTogether(statements: readonly Statement[], options: QueryOptions): Promise<types.ResultSet> {
    const { client } = this.#connection
    const [only] = statements
    // A batch of one costs more than what is in it.
    if (only !== undefined && statements.length === 1) return client.execute(only.cql, [...only.params], options)
    return client.batch(
      statements.map(({ cql, params }) => ({ query: cql, params: [...params] })),
      { ...options, logged: false },
    )
  }

  #queryOptions(isRepeatable: boolean): QueryOptions {
    return {
      prepare: true,
      consistency: this.#consistency,
      serialConsistency: this.#serialConsistency,
      readTimeout: this.#requestTimeoutMs,
      isIdempotent: isRepeatable,
      ...(isRepeatable ? {} : { retry: noRetry }),
    }
  }

  async #send<T>(kind: RequestKind, { signal }: RequestOptions, send: () => Promise<T>): Promise<T> {
    this.#throwIfClosed()
    // The narrower gate first: whoever waits there holds up nobody else.
    const leaveConditionals = kind === 'conditional' ? await this.#conditionals.take(signal) : undefined
    const leaveRequests = await this.#requests.take(signal).catch((error: unknown) => {
      leaveConditionals?.()
      throw error
    })
    const sent = send().finally(() => {
      leaveRequests()
      leaveConditionals?.()
    })
    try {
      return await this.#bounded(sent, signal)
    } catch (error) {
      if (signal?.aborted === true && error === signal.reason) throw error
      if (wasNotSent(error)) await this.#bounded(sleep(notSentPauseMs), signal)
      throw translated(error, kind, kind === 'read' ? 'a read from Cassandra' : 'a write to Cassandra', this.#connection.hostsDown())
    }
  }

  /** Waits for so long; what comes later is dropped. */
  #bounded<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        leave?.()
        this.#waits.delete(giveUp)
        if (this.#waits.size === 0) this.#becameIdle?.()
      }
      const giveUp = (reason: Error): void => {
        end()
        reject(reason)
      }
      const timer = setTimeout(() => giveUp(new Error(`no answer within ${this.#requestTimeoutMs} ms`)), this.#requestTimeoutMs)
      const leave = signal && onAbort(signal, () => giveUp(signal.reason as Error))
      this.#waits.add(giveUp)
      promise.then((value) => {
        end()
        resolve(value)
      }, giveUp)
    })
  }

  #throwIfClosed(): void {
    if (this.#closed !== undefined) throw closedError('the storage on Cassandra')
  }

  async #close(): Promise<void> {
    const closed = closedError('the storage on Cassandra')
    for (const places of [this.#conditionals, this.#requests]) places.clear(closed)
    if (this.#waits.size > 0) {
      const idle = new Promise<void>((resolve) => (this.#becameIdle = resolve))
      await withinMs(closeWithinMs, idle)
      for (const giveUp of this.#waits) giveUp(new Error('the storage was closed before the answer came'))
    }
    await withinMs(closeWithinMs, this.#connection.letGo())
  }
}

// The driver's types say less than there is: a result without rows has none, and the last page no state.
const rowsOf = ({ rows }: { readonly rows?: readonly Row[] }): readonly Row[] => rows ?? []
const isLast = (pageState: string | null | undefined): pageState is null | undefined => pageState === null || pageState === undefined
