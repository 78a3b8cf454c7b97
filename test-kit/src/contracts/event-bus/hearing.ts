import type { EventBus, TaskNotice, Unsubscribe } from '@taskledger/core/ports'
import type { RuleContext } from '../../framework/rule.ts'
import { failedWith, holds, same } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
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

/** Fails unless each ear has heard exactly these notices, in any order. */
export const expectHeard = (ears: readonly Ear[], expected: readonly TaskNotice[]): void => {
  for (const [index, { heard }] of ears.entries()) sameNotices(sorted(heard), sorted(expected), `listener ${index + 1} of ${ears.length}`)
}

/** Fails unless these notices were heard, in this order. `who` names the listener. */
export const sameNotices = (heard: readonly TaskNotice[], expected: readonly TaskNotice[], who: string): void => {
  const times = heard.length - new Set(heard.map((notice) => JSON.stringify(notice))).size
  holds(times === 0, `${who} heard ${times} of ${heard.length} notices more than once`)
  same(heard, expected, `the notices that ${who} heard`)
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
  await waitUntil(`${ears.length} listeners hear a last notice, after all others`, () => ears.every((ear) => hasHeard(ear, last)))
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
      await context.waitUntil(`a second look is taken at round ${round + 1} of ${rounds}`, () => ++looks === 2)
    }
  return notices
}

/** Publishes over a network with faults, a new notice each time, until the bus accepts one. */
export const publishUntilAccepted = async (
  { random, waitUntil }: RuleContext<EventBus>,
  bus: EventBus,
  step: string,
): Promise<TaskNotice> => {
  let notice = noticeWith(random)
  await waitUntil(`a notice is accepted, ${step}`, async () => {
    notice = noticeWith(random)
    const refusal = await outcomeOf(bus.publish([notice]))
    if (refusal === undefined) return true
    failedWith(refusal, ['UNAVAILABLE', 'OUTCOME_UNKNOWN'], `publish, ${step}`)
    return false
  })
  return notice
}
