import assert from 'node:assert/strict'
import type { EventBus, TaskNotice, Unsubscribe } from '@taskledger/core/ports'
import type { RuleContext } from '../../framework/rule.ts'
import { isPassing } from '../outcome.ts'
import { drawTaskId } from '../sample-data.ts'

/** A notice of a task of its own, with the given changes. */
export const noticeWith = (random: () => number, given: Partial<TaskNotice> = {}): TaskNotice => ({
  taskId: drawTaskId(random),
  version: 2,
  type: 'TaskStarted',
  status: 'inProgress',
  node: 'worker-1',
  ...given,
})

export const noticesWith = (random: () => number, count: number, given: Partial<TaskNotice> = {}): readonly TaskNotice[] =>
  Array.from({ length: count }, (_, index) => noticeWith(random, { version: index + 1, ...given }))

/** A listener that records the notices that it hears. */
export interface Ear {
  readonly heard: readonly TaskNotice[]
  readonly unsubscribe: Unsubscribe
}

/** Subscribes, and records every notice. */
export const listenOn = (bus: EventBus): Ear => {
  const heard: TaskNotice[] = []
  return { heard, unsubscribe: bus.subscribe((notice) => void heard.push(notice)) }
}

/** Fails unless the ear has heard exactly these notices, in any order. */
export const expectHeard = ({ heard }: Ear, expected: readonly TaskNotice[]): void => sameNotices(sorted(heard), sorted(expected))

/** Fails at the first difference: a comparison of thousands of notices at once takes very long to describe the difference. */
export const sameNotices = (heard: readonly TaskNotice[], expected: readonly TaskNotice[]): void => {
  for (const [index, notice] of expected.entries()) assert.deepEqual(heard[index], notice, `notice ${index + 1} of ${expected.length}`)
  assert.equal(heard.length, expected.length, 'no notice is heard more than once')
}

const sorted = (notices: readonly TaskNotice[]): readonly TaskNotice[] => {
  const keyed = notices.map((notice) => ({ notice, key: `${notice.taskId} ${notice.version}` }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ notice }) => notice)
}

/** Whether the ear has heard a notice of this task. */
export const hasHeard = ({ heard }: Ear, { taskId }: TaskNotice): boolean => heard.some((notice) => notice.taskId === taskId)

/** Publishes one more notice and waits until every ear has heard it. By then every earlier notice of this client has arrived. */
export const lastNotice = async (
  { random, waitUntil }: RuleContext<EventBus>,
  bus: EventBus,
  ears: readonly Ear[],
): Promise<TaskNotice> => {
  const last = noticeWith(random, { node: 'the last one' })
  await bus.publish([last])
  await waitUntil('a last notice is heard', () => ears.every((ear) => hasHeard(ear, last)))
  return last
}

/** How many later notices each client publishes before a rule concludes that nothing else is heard. */
const rounds = 4

/**
 * Gives the bus the opportunity to deliver what it must not deliver: the clients publish later notices, one after the other, until every ear
 * has heard them. It looks twice at each, so that timers fire in between. It counts notices and looks, not time, so a slow machine leaves no
 * less opportunity.
 */
export const quiet = async (
  context: RuleContext<EventBus>,
  clients: readonly EventBus[],
  ears: readonly Ear[],
): Promise<readonly TaskNotice[]> => {
  const notices: TaskNotice[] = []
  for (let round = 0; round < rounds; round++)
    for (const client of clients) {
      notices.push(await lastNotice(context, client, ears))
      let looks = 0
      await context.waitUntil('a second look is taken', () => ++looks === 2)
    }
  return notices
}

/** Publishes over a network with faults, a new notice each time, until the bus accepts one. */
export const publishUntilAccepted = async ({ random, waitUntil }: RuleContext<EventBus>, bus: EventBus): Promise<TaskNotice> => {
  let notice = noticeWith(random)
  await waitUntil('a notice is accepted', async () => {
    notice = noticeWith(random)
    try {
      await bus.publish([notice])
      return true
    } catch (error) {
      assert.ok(isPassing(error), `publish failed with neither UNAVAILABLE nor OUTCOME_UNKNOWN: ${String(error)}`)
      return false
    }
  })
  return notice
}
