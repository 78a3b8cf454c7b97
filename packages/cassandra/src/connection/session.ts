import type { QueryOptions } from 'cassandra-driver'
import { policies, types } from 'cassandra-driver'
import type { Logger } from '@taskledger/core/ports'
import { consoleLogger, neverThrowing, within } from '@taskledger/core/ports'
import type { Connection } from './connect.ts'
import { InFlightRequests } from './in-flight-requests.ts'
import type { CassandraStorageOptions } from './options.ts'
import { ServerTime } from './server-time.ts'
import { SessionShare } from './session-share.ts'

/**
 * A row as the driver returns it. A bigint is a `Long`, or what the caller's own client makes of it: read it with
 * `Number(String(value))`.
 */
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
  /**
   * Whether a second execution does no harm: a SELECT, an upsert with an explicit timestamp. The driver may then retry
   * on another host. Default false.
   */
  readonly isRepeatable?: boolean
}

export interface ExecuteOptions extends BatchOptions {
  /**
   * Whether to read serially: with all that conditional writes have decided, those in flight included. Default false: a
   * quorum read.
   */
  readonly isSerial?: boolean
  /** Whether to prepare the statement: definitions cannot be prepared. Default true. */
  readonly isPrepared?: boolean
  /** How many rows a page has. Default: that of the driver, 5,000. */
  readonly fetchSize?: number | undefined
}

/** The result of a conditional batch. If it was not applied, `rows` has the rows that failed a condition. */
export interface ConditionalResult {
  readonly applied: boolean
  readonly rows: readonly Row[]
}

/** No retry by the driver: a conditional write that was retried may conflict with its own first try. */
const noRetry = new policies.retry.FallthroughRetryPolicy()

/** How long a close waits for the client to shut down, in milliseconds. */
const closeTimeoutMs = 2_000

/** One connection to the cluster, shared by the ports of a storage: runs their statements. */
export class Session {
  /** The part of every partition key that keeps applications apart. */
  readonly prefix: string
  readonly keyspace: string
  readonly logger: Logger
  readonly serverTime: ServerTime
  readonly #connection: Connection
  readonly #requestTimeoutMs: number
  readonly #consistency: number
  readonly #serialConsistency: number
  readonly #requests: InFlightRequests
  readonly #shares = new Set<SessionShare>()
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
    this.logger = neverThrowing(logger)
    this.serverTime = new ServerTime(async () => {
      const [row] = await this.execute('SELECT toTimestamp(now()) AS now FROM system.local', [])
      return Number(row?.['now'])
    })
    this.#requestTimeoutMs = requestTimeoutMs
    this.#consistency = consistency === 'local' ? types.consistencies.localQuorum : types.consistencies.quorum
    this.#serialConsistency = consistency === 'local' ? types.consistencies.localSerial : types.consistencies.serial
    this.#requests = new InFlightRequests({
      requestTimeoutMs,
      maxRequests: maxInFlight?.requests ?? 256,
      maxConditional: maxInFlight?.conditional ?? 48,
      hostsDown: () => connection.hostsDown(),
    })
  }

  /** The table's name with the keyspace, which every statement needs: the caller's own client may use any keyspace. */
  table(name: string): string {
    return `"${this.keyspace}".${name}`
  }

  /** Makes a port's share. Closing the last share closes the session. */
  share(port: string): SessionShare {
    const share = new SessionShare(port, async () => {
      this.#shares.delete(share)
      if (this.#shares.size === 0) await this.close()
    })
    this.#shares.add(share)
    return share
  }

  /** Runs a statement without a condition, and returns all of its rows. */
  async execute(cql: string, params: readonly unknown[], options: ExecuteOptions = {}): Promise<readonly Row[]> {
    const rows: Row[] = []
    for await (const page of this.#pages(cql, params, options)) rows.push(...page)
    return rows
  }

  /** The rows of a SELECT, in pages of `fetchSize`. The next page is requested when its first row is needed. */
  async *pages(cql: string, params: readonly unknown[], options: RequestOptions & { readonly fetchSize: number }): AsyncIterable<Row> {
    for await (const page of this.#pages(cql, params, { ...options, isRepeatable: true })) yield* page
  }

  /** Writes statements in one request. The statements of one partition are written all or none. */
  async batch(statements: readonly Statement[], { isRepeatable = false, ...options }: BatchOptions = {}): Promise<void> {
    await this.#requests.send('write', options.signal, () => this.#sendTogether(statements, this.#queryOptions(isRepeatable)))
  }

  /**
   * Checks the conditions and writes all statements or none, in one atomic step of one partition. The driver never
   * retries it.
   */
  async conditional(statements: readonly Statement[], options: RequestOptions = {}): Promise<ConditionalResult> {
    const result = await this.#requests.send('conditional', options.signal, () => this.#sendTogether(statements, this.#queryOptions(false)))
    const rows = rowsOf(result)
    return { applied: rows[0]?.['[applied]'] === true, rows }
  }

  /** Ends the requests in flight, within a bound, and shuts the client down. The caller's own client stays open. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async *#pages(cql: string, params: readonly unknown[], options: ExecuteOptions): AsyncIterable<readonly Row[]> {
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
      const result: types.ResultSet = await this.#requests.send(isRead ? 'read' : 'write', options.signal, () =>
        this.#connection.client.execute(cql, [...params], isLast(pageState) ? queryOptions : { ...queryOptions, pageState }),
      )
      yield rowsOf(result)
      pageState = result.pageState
    } while (!isLast(pageState))
  }

  #sendTogether(statements: readonly Statement[], options: QueryOptions): Promise<types.ResultSet> {
    const { client } = this.#connection
    const [only] = statements
    // A batch of one statement costs more than the statement alone.
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

  async #close(): Promise<void> {
    await this.#requests.close()
    await within(this.#connection.close(), { timeoutMs: closeTimeoutMs, onTimeout: () => {} })
  }
}

// The driver's types are incomplete: `rows` is missing in a result without rows, and `pageState` is null on the last
// page.
const rowsOf = ({ rows }: { readonly rows?: readonly Row[] }): readonly Row[] => rows ?? []
const isLast = (pageState: string | null | undefined): pageState is null | undefined => pageState === null || pageState === undefined
