import assert from 'node:assert/strict'
import type { EventStore, TaskId } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { createdEvent, freshTaskId, startedEvent } from '../sample-data.ts'

const namedBy = async (store: EventStore): Promise<readonly TaskId[]> => {
  const taskIds: TaskId[] = []
  for await (const taskId of store.histories()) taskIds.push(taskId)
  return taskIds.sort()
}

/** Rules 6.x: every history can be found without knowing its id. */
export const enumerationRules: readonly Rule<EventStore>[] = [
  {
    id: 'ES-6.1',
    kind: 'plain',
    title: '`histories` lists every history once, for every client, and no removed history',
    hint: 'return one id for each task, not for each event or cohort; read page by page to the end',
    run: async ({ port, peer }) => {
      const other = await peer()
      assert.deepEqual(await namedBy(port), [])
      // Four cohorts of fifty tasks.
      const taskIds = Array.from({ length: 4 }, () => freshTaskId().slice(0, -4)).flatMap((cohort) =>
        Array.from({ length: 50 }, (_, index) => `${cohort}${index.toString(16).padStart(4, '0')}` as TaskId),
      )
      await Promise.all(taskIds.map((taskId) => port.append(taskId, 0, [createdEvent(taskId), startedEvent(taskId, 2)])))
      const [removed, ...kept] = taskIds.sort()
      if (removed !== undefined) await port.remove(removed)
      for (const client of [port, other]) assert.deepEqual(await namedBy(client), kept)
    },
  },
  {
    id: 'ES-6.2',
    kind: 'fault',
    title: '`histories` also lists a history that cannot be decoded',
    hint: 'list the tasks without reading their events',
    notShown: ({ inject }) => (inject === undefined ? 'the harness has no hook to put bytes into the store' : undefined),
    run: async ({ port, inject }) => {
      const taskId = freshTaskId()
      await port.append(taskId, 0, [createdEvent(taskId)])
      await inject?.(new TextEncoder().encode('{"v":1,"type":"TaskTeleported"}'), taskId)
      assert.deepEqual(await namedBy(port), [taskId])
    },
  },
]
