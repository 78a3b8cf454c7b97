import type { EventStore, TaskId } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
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
      same(await namedBy(port), [], 'the histories of an empty store')
      // Four cohorts of fifty tasks.
      const taskIds = Array.from({ length: 4 }, () => freshTaskId().slice(0, -4)).flatMap((cohort) =>
        Array.from({ length: 50 }, (_, index) => `${cohort}${index.toString(16).padStart(4, '0')}` as TaskId),
      )
      await Promise.all(taskIds.map((taskId) => port.append(taskId, 0, [createdEvent(taskId), startedEvent(taskId, 2)])))
      const [removed, ...kept] = taskIds.sort()
      if (removed !== undefined) await port.remove(removed)
      for (const client of [port, other]) same(await namedBy(client), kept, 'the histories, without the one that was removed')
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
      same(await namedBy(port), [taskId], 'the histories, of which the only one cannot be decoded')
    },
  },
  {
    id: 'ES-6.3',
    kind: 'plain',
    title: '`histories` lists every history once where there are more than in any page, of many cohorts and of one',
    hint: 'ask for the next page until there is none; a page may end within a cohort, and may have no history that counts',
    run: async ({ port, peer, pageRows }) => {
      const count = 2 * pageRows + 1
      const large = freshTaskId().slice(0, -4)
      const taskIds = Array.from({ length: count }, (_, index) => [
        freshTaskId(),
        `${large}${index.toString(16).padStart(4, '0')}` as TaskId,
      ]).flat()
      for (let index = 0; index < taskIds.length; index += atOnce)
        await Promise.all(
          taskIds.slice(index, index + atOnce).map((taskId) => port.append(taskId, 0, [createdEvent(taskId)], { isFresh: true })),
        )
      for (const client of [port, await peer()]) {
        const named = await namedBy(client)
        same(named.length, taskIds.length, `the number of histories, ${count} of one cohort and ${count} of as many cohorts`)
        same(named, taskIds.toSorted(), 'the histories')
      }
    },
  },
]

/** How many histories are begun at the same time. */
const atOnce = 50
