import type { EventStore, TaskEvent } from '@taskledger/core/ports'
import { hasCode } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { failedWith, holds, same } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
import { awkwardValues, createdEvent, everyEvent, freshTaskId, largestPayload, startedEvent } from '../sample-data.ts'

/** Rules 1.x: written events come back. */
export const readingRules: readonly Rule<EventStore>[] = [
  {
    id: 'ES-1.1',
    kind: 'plain',
    title: 'an unknown task has an empty history',
    hint: 'a missing row is not an error',
    run: async ({ port }) => same(await port.read(freshTaskId()), [], 'the history of an unknown task'),
  },
  {
    id: 'ES-1.2',
    kind: 'plain',
    title: 'events of every type come back equal and in order, from another client too',
    hint: 'order the events by version; write every field through the codec',
    run: async ({ port, peer }) => {
      const taskId = freshTaskId()
      const events = everyEvent(taskId)
      for (const event of events) await port.append(taskId, event.version - 1, [event])
      same(await port.read(taskId), events, 'the history, read by its writer')
      same(await (await peer()).read(taskId), events, 'the history, read by another client')
    },
  },
  {
    id: 'ES-1.3',
    kind: 'plain',
    title: 'an append writes all of its events or none',
    hint: 'write them in one transaction or conditional batch',
    run: async ({ port }) => {
      const taskId = freshTaskId()
      const events = everyEvent(taskId)
      await port.append(taskId, 0, events.slice(0, 3))
      same(await port.read(taskId), events.slice(0, 3), 'the history after an append of three events')
      // The batch fits but for its first event: another event already has that version.
      const other = [startedEvent(taskId, 3), startedEvent(taskId, 4)]
      const what = 'an append whose first event has a version that is taken'
      failedWith(await outcomeOf(port.append(taskId, 2, other)), 'VERSION_CONFLICT', what)
      same(await port.read(taskId), events.slice(0, 3), 'the history after an append that was refused')
    },
  },
  {
    id: 'ES-1.4',
    kind: 'plain',
    title: 'a read with afterVersion returns only later events',
    hint: 'return the events with a higher version, and an empty list where there are none',
    run: async ({ port }) => {
      const taskId = freshTaskId()
      const events = everyEvent(taskId)
      await port.append(taskId, 0, events)
      for (const afterVersion of [0, 1, 5, 7, 8, 100])
        same(await port.read(taskId, { afterVersion }), events.slice(afterVersion), `the events after version ${afterVersion}`)
    },
  },
  {
    id: 'ES-1.5',
    kind: 'plain',
    title: 'histories do not mix, even within one cohort',
    hint: 'a partition may hold many tasks: put the task id into every condition',
    run: async ({ port }) => {
      const first = freshTaskId()
      const ids = [first, ...[1, 2, 3].map((index) => (first.slice(0, -4) + `000${index}`) as typeof first), freshTaskId()]
      const histories = ids.map((id) => [createdEvent(id), startedEvent(id, 2)])
      await Promise.all(histories.map((events, index) => port.append(ids[index] ?? first, 0, events)))
      for (const [index, id] of ids.entries())
        same(await port.read(id), histories[index], `the history of task ${index + 1} of ${ids.length}`)
    },
  },
  {
    id: 'ES-1.6',
    kind: 'plain',
    title: 'unicode, nested, empty and the largest values come back equal',
    hint: 'store the text of the codec unchanged: no trimming, no normalisation, no column that is too short',
    run: async ({ port }) => {
      for (const [name, payload] of Object.entries({ ...awkwardValues, largest: largestPayload })) {
        const taskId = freshTaskId()
        const created = createdEvent(taskId, payload)
        await port.append(taskId, 0, [created])
        same(await port.read(taskId), [created], `the history with the payload "${name}"`)
      }
    },
  },
  {
    id: 'ES-1.7',
    kind: 'plain',
    title: 'a caller that changes its objects does not change the history',
    hint: 'copy or encode events on the way in and on the way out',
    run: async ({ port }) => {
      const taskId = freshTaskId()
      const created = createdEvent(taskId, { list: [1] })
      const expected: TaskEvent = structuredClone(created)
      await port.append(taskId, 0, [created])
      spoil(created)
      const [read] = await port.read(taskId)
      same(read, expected, 'the event, after its writer changed the object that it appended')
      spoil(read)
      same(await port.read(taskId), [expected], 'the history, after a reader changed the event that it read')
    },
  },
  {
    id: 'ES-1.8',
    kind: 'plain',
    title: 'a history that is longer than any page is read, continued and removed whole',
    hint: 'ask the engine for the next page until there is none, also where you look up the version or the ids of events',
    run: async ({ port, peer, pageRows }) => {
      const other = await peer()
      const taskId = freshTaskId()
      const later = Math.max(2 * pageRows + 1, minLater)
      const events = [createdEvent(taskId), ...Array.from({ length: later }, (_, index) => startedEvent(taskId, index + 2))]
      const batches = Array.from({ length: Math.ceil(events.length / batchSize) }, (_, index) =>
        events.slice(index * batchSize, (index + 1) * batchSize),
      )
      for (const [index, batch] of batches.entries()) await port.append(taskId, index * batchSize, batch)
      const versions = events.map(({ version }) => version)
      for (const client of [port, other]) {
        const read = await client.read(taskId)
        same(
          read.map(({ version }) => version),
          versions,
          `the versions of a history of ${events.length} events`,
        )
        same(read, events, `a history of ${events.length} events`)
      }
      same(await port.read(taskId, { afterVersion: pageRows }), events.slice(pageRows), `its events after version ${pageRows}`)
      const repeat = `the repeat of its last append, at version ${(batches.length - 1) * batchSize}`
      holds(
        (await outcomeOf(other.append(taskId, (batches.length - 1) * batchSize, batches.at(-1) ?? []))) === undefined,
        `${repeat}, was refused`,
      )
      const stale = await outcomeOf(other.append(taskId, 1, [startedEvent(taskId, 2)]))
      failedWith(stale, 'VERSION_CONFLICT', 'an append at version 1')
      same(hasCode(stale, 'VERSION_CONFLICT') && stale.actualVersion, events.length, 'the actual version of the conflict')
      await port.remove(taskId)
      for (const client of [port, other]) same(await client.read(taskId), [], 'the history after its removal')
    },
  },
]

/** More events than the usual limit on the rows of a statement, which does not shrink with the page of a harness. */
const minLater = 1_100

/** How many events of a long history go into one append. */
const batchSize = 100

/** Changes the payload of a sample event, as far as it can be changed. */
const spoil = (event: TaskEvent | undefined): void => {
  const open = event as unknown as { node: string; labels: string[]; task: { payload: { list: number[] } } }
  try {
    open.node = 'spoilt'
    open.labels.push('spoilt')
    open.task.payload.list.push(2)
  } catch (error) {
    // A frozen object cannot be changed by anyone.
    if (!(error instanceof TypeError)) throw error
  }
}
