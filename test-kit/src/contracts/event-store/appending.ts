import assert from 'node:assert/strict'
import type { EventStore, TaskEvent } from '@taskledger/core/ports'
import { hasCode } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { outcomeOf } from '../outcome.ts'
import { awkwardValues, createdEvent, everyEvent, freshTaskId, largestPayload, startedEvent } from '../sample-data.ts'

/** Rules 1.x: written events come back. */
export const readingRules: readonly Rule<EventStore>[] = [
  {
    id: 'ES-1.1',
    kind: 'plain',
    title: 'an unknown task has an empty history',
    hint: 'a missing row is not an error',
    run: async ({ port }) => assert.deepEqual(await port.read(freshTaskId()), []),
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
      assert.deepEqual(await port.read(taskId), events)
      assert.deepEqual(await (await peer()).read(taskId), events)
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
      assert.deepEqual(await port.read(taskId), events.slice(0, 3))
      // The batch fits but for its first event: another event already has that version.
      const other = [startedEvent(taskId, 3), startedEvent(taskId, 4)]
      assert.ok(hasCode(await outcomeOf(port.append(taskId, 2, other)), 'VERSION_CONFLICT'))
      assert.deepEqual(await port.read(taskId), events.slice(0, 3))
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
        assert.deepEqual(await port.read(taskId, { afterVersion }), events.slice(afterVersion))
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
      for (const [index, id] of ids.entries()) assert.deepEqual(await port.read(id), histories[index])
    },
  },
  {
    id: 'ES-1.6',
    kind: 'plain',
    title: 'unicode, nested, empty and the largest values come back equal',
    hint: 'store the text of the codec unchanged: no trimming, no normalisation, no column that is too short',
    run: async ({ port }) => {
      for (const payload of [...Object.values(awkwardValues), largestPayload]) {
        const taskId = freshTaskId()
        const created = createdEvent(taskId, payload)
        await port.append(taskId, 0, [created])
        assert.deepEqual(await port.read(taskId), [created])
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
      assert.deepEqual(read, expected)
      spoil(read)
      assert.deepEqual(await port.read(taskId), [expected])
    },
  },
]

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
