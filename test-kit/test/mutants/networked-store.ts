import { setTimeout as sleep } from 'node:timers/promises'
import { decodeEvent, encodeEvent } from '@taskledger/core/codec'
import type { EventStore, TaskEvent, TaskId } from '@taskledger/core/ports'
import { closedError, outcomeUnknown, TaskledgerError, VersionConflict } from '@taskledger/core/ports'
import type { Faults, Subject } from '@taskledger/test-kit'

/** A row as the engine keeps it. */
interface Row {
  readonly eventId: string
  readonly text: string
}

/** An engine of one table, with a log on disk, and the network before it. */
export class Engine {
  /** What is in the engine's memory. */
  rows = new Map<TaskId, readonly Row[]>()
  /** What survives a restart. */
  disk = new Map<TaskId, readonly Row[]>()
  /** How often connections were broken. */
  cuts = 0
  losesReplies = false

  /** A request takes its time on the way there and on the way back, and either way it may be lost. */
  async ask<Answer>(request: () => Answer | Promise<Answer>): Promise<Answer> {
    const connection = this.cuts
    await sleep(1)
    if (this.cuts !== connection) throw new LostRequest()
    const answer = await request()
    await sleep(1)
    if (this.cuts !== connection || this.losesReplies) throw new LostAnswer()
    return answer
  }

  /** One conditional write, all events or none. */
  write(taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[]): void {
    const history = this.rows.get(taskId) ?? []
    if (history.length === expectedVersion) this.put(taskId, [...history, ...events.map(rowOf)])
    else if (!events.every(({ eventId }, index) => history[expectedVersion + index]?.eventId === eventId))
      throw new VersionConflict(taskId, expectedVersion, history.length)
  }

  put(taskId: TaskId, rows: readonly Row[]): void {
    this.rows.set(taskId, rows)
    this.disk.set(taskId, rows)
  }

  readonly faults: Faults = {
    cut: async () => void this.cuts++,
    loseReplies: async () => {
      this.losesReplies = true
      return async () => void (this.losesReplies = false)
    },
    restart: async () => {
      this.cuts++
      this.rows = new Map(this.disk)
    },
  }
}

/** The request never reached the engine. */
export class LostRequest extends Error {}

/** The engine did what it was asked, and the answer got lost. */
export class LostAnswer extends Error {}

export const rowOf = (event: TaskEvent): Row => ({ eventId: event.eventId, text: encodeEvent(event) })

/** What a client may do otherwise than a right one. */
export interface Deviations {
  append?(engine: Engine, taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[]): Promise<void>
  read?(engine: Engine, taskId: TaskId): Promise<readonly Row[]>
  /** What is made of a request or an answer that got lost. */
  lost?(error: LostRequest | LostAnswer, taskId: TaskId, expectedVersion: number): Error
}

const lostCall = (error: unknown): Error =>
  error instanceof LostRequest
    ? new TaskledgerError('UNAVAILABLE', 'the request did not reach the engine', { cause: error })
    : outcomeUnknown('the call', error)

const isLost = (error: unknown): error is LostRequest | LostAnswer => error instanceof LostRequest || error instanceof LostAnswer

/** An event store on the other side of a network, right but for its deviations. */
const connect = (engine: Engine, deviations: Deviations): EventStore => {
  let isClosed = false
  const enter = (signal: AbortSignal | undefined): void => {
    if (isClosed) throw closedError('the event store')
    signal?.throwIfAborted()
  }
  const {
    append = (_, ...given) => engine.ask(() => engine.write(...given)),
    read = (_, taskId) => engine.ask(() => engine.rows.get(taskId) ?? []),
  } = deviations satisfies Deviations
  return {
    capabilities: { durability: true },
    async append(taskId, expectedVersion, events, options) {
      enter(options?.signal)
      try {
        await append(engine, taskId, expectedVersion, events)
      } catch (error) {
        if (!isLost(error)) throw error
        throw deviations.lost?.(error, taskId, expectedVersion) ?? lostCall(error)
      }
    },
    async read(taskId, options) {
      enter(options?.signal)
      try {
        return (await read(engine, taskId)).slice(options?.afterVersion ?? 0).map(({ text }) => decodeEvent(text))
      } catch (error) {
        throw isLost(error) ? lostCall(error) : error
      }
    },
    async *histories(options) {
      enter(options?.signal)
      const rows = await engine
        .ask(() => [...engine.rows].filter(([, events]) => events.length > 0))
        .catch((error: unknown) => {
          throw isLost(error) ? lostCall(error) : error
        })
      for (const [taskId] of rows) yield taskId
    },
    async remove(taskId, options) {
      enter(options?.signal)
      await engine.ask(() => engine.put(taskId, []))
    },
    async close() {
      isClosed = true
    },
  }
}

export const networkedSubject = (deviations: Deviations = {}): Subject<EventStore> => {
  const engine = new Engine()
  return {
    port: connect(engine, deviations),
    peer: async () => connect(engine, deviations),
    faults: engine.faults,
    inject: async (bytes, taskId) => {
      const row = { eventId: 'injected', text: new TextDecoder().decode(bytes) }
      engine.put(taskId as TaskId, [...(engine.rows.get(taskId as TaskId) ?? []), row])
    },
    inspect: () => engine.rows,
  }
}
