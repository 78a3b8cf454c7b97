import type { FileHandle } from 'node:fs/promises'
import { constants, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { decodeEvent, encodeEvent } from '@taskledger/core/codec'
import type {
  AppendOptions,
  CallOptions,
  EventStore,
  EventStoreCapabilities,
  ReadOptions,
  RemoveOptions,
  TaskEvent,
  TaskId,
} from '@taskledger/core/ports'
import {
  closedError,
  codeOf,
  isTaskId,
  outcomeUnknown,
  TaskledgerError,
  unavailable,
  VersionConflict,
  within,
} from '@taskledger/core/ports'
import { historyIn, lineOf } from './history-file.ts'

/**
 * Opens an event store with a file for each history, in a folder on a local disk. Any number of processes of this machine may share the
 * folder.
 */
export const fileEventStore = async ({ folder }: { readonly folder: string }): Promise<EventStore> => {
  await mkdir(folder, { recursive: true })
  return new FileEventStore(folder, await open(folder))
}

class FileEventStore implements EventStore {
  readonly capabilities: EventStoreCapabilities = { durability: 'restart' }
  readonly #path: string
  readonly #folder: FileHandle
  readonly #underWay = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor(path: string, folder: FileHandle) {
    this.#path = path
    this.#folder = folder
  }

  append(taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[], options?: AppendOptions): Promise<void> {
    return this.#run(options?.signal, async () => {
      try {
        await this.#append(taskId, expectedVersion, events, options?.follows)
      } catch (error) {
        throw error instanceof TaskledgerError ? error : outcomeUnknown(`append to task ${taskId}`, error)
      }
    })
  }

  read(taskId: TaskId, options?: ReadOptions): Promise<readonly TaskEvent[]> {
    return this.#run(options?.signal, async () => {
      const content = await unlessMissing(readFile(this.#fileOf(taskId), 'utf8')).catch((cause: unknown) => {
        throw unavailable(`the history of task ${taskId} could not be read`, cause)
      })
      return historyIn(content ?? '')
        .slice(options?.afterVersion ?? 0)
        .map(decodeEvent)
    })
  }

  async *histories(options?: CallOptions): AsyncGenerator<TaskId, void, undefined> {
    // A file counts even if its first append failed.
    for (const name of await this.#run(options?.signal, () => readdir(this.#path))) {
      options?.signal?.throwIfAborted()
      const taskId = name.replace(/\.history$/, '')
      if (isTaskId(taskId)) yield taskId
    }
  }

  remove(taskId: TaskId, options?: RemoveOptions): Promise<void> {
    return this.#run(options?.signal, async () => {
      try {
        const file = this.#fileOf(taskId)
        const { firstEventId } = options ?? {}
        // A file system deletes by name only: the name may get another file within the microseconds between these two steps.
        if (firstEventId !== undefined && eventIdIn(historyIn((await unlessMissing(readFile(file, 'utf8'))) ?? '')[0]) !== firstEventId)
          return
        await unlessMissing(unlink(file))
        await this.#folder.sync()
      } catch (error) {
        throw outcomeUnknown(`removal of task ${taskId}`, error)
      }
    })
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => this.#folder.close())
    return this.#closing
  }

  async #append(taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[], follows: string | undefined): Promise<void> {
    // One handle for everything that follows: if the history is removed meanwhile, the write goes into the removed file, and cannot bring the
    // task back. For the same reason only a first append may create a file.
    const opening = open(this.#fileOf(taskId), expectedVersion === 0 ? 'a+' : appendIfThere)
    await using file = expectedVersion === 0 ? await opening : await unlessMissing(opening)
    if (file === undefined) throw new VersionConflict(taskId, expectedVersion, 0)
    let history = await this.#readDurably(file)
    const isKnown = follows === undefined || eventIdIn(history[expectedVersion - 1]) === follows
    if (history.length === expectedVersion && isKnown) {
      await writeLine(file, lineOf(expectedVersion, events.map(encodeEvent)))
      // Whether this line came first, or another that expected the same version.
      history = await this.#readDurably(file)
    }
    if (!hasEvents(history, expectedVersion, events)) throw new VersionConflict(taskId, expectedVersion, history.length)
  }

  /** Reads, and resolves once nothing that it read can be lost: another writer may have written it, and not flushed it yet. */
  async #readDurably(file: FileHandle): Promise<readonly string[]> {
    const content = await text(file.createReadStream({ start: 0, autoClose: false }))
    await file.datasync()
    // The folder keeps the name of a new file.
    await this.#folder.sync()
    return historyIn(content)
  }

  #fileOf(taskId: TaskId): string {
    return join(this.#path, `${taskId}.history`)
  }

  async #run<Result>(signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    if (this.#closing !== undefined) throw closedError('the event store')
    signal?.throwIfAborted()
    const running: Promise<Result> = work().finally(() => this.#underWay.delete(running))
    this.#underWay.add(running)
    // An abort ends the wait, not the work: a write that was begun goes on to its end.
    return within(running, { signal })
  }
}

/** Opens for reading and appending, and creates no file. */
const appendIfThere = constants.O_RDWR | constants.O_APPEND

/** In one write, which no other write can interrupt: half of a line in the middle of another line would void both. */
const writeLine = async (file: FileHandle, line: string): Promise<void> => {
  const bytes = Buffer.from(line)
  const { bytesWritten } = await file.write(bytes)
  if (bytesWritten < bytes.length)
    throw unavailable('the disk only had room for a part of the append, which does not count: free some space, then repeat it')
}

/** Whether the history has these events, from this append or an earlier one. Others may have followed. */
const hasEvents = (history: readonly string[], expectedVersion: number, events: readonly TaskEvent[]): boolean =>
  events.every(({ eventId }, index) => eventIdIn(history[expectedVersion + index]) === eventId)

/** Without the codec, since an event of a newer release has an id too. */
const eventIdIn = (event = ''): unknown => {
  try {
    return (JSON.parse(event) as { readonly eventId?: unknown } | null)?.eventId
  } catch {
    return undefined
  }
}

const unlessMissing = async <Result>(operation: Promise<Result>): Promise<Result | undefined> => {
  try {
    return await operation
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
