import { inspect } from 'node:util'
import type { EventStore, TaskEvent, TaskId } from '@taskledger/core/ports'
import { codeOf } from '@taskledger/core/ports'
import type { Rule, RuleContext } from '../../framework/rule.ts'
import { failedWith, holds, same } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
import { createdEvent, freshTaskId, startedEvent } from '../sample-data.ts'

const size = 16
const versions = 6

/** The ids of one cohort, as one manager draws them for a burst of submits. */
const cohort = (): readonly TaskId[] => {
  const first = freshTaskId()
  return Array.from({ length: size }, (_, index) => `${first.slice(0, -4)}${index.toString(16).padStart(4, '0')}` as TaskId)
}

const eventOf = (taskId: TaskId, version: number): TaskEvent =>
  version === 1 ? createdEvent(taskId) : startedEvent(taskId, version, version - 1)

/** Whether core would repeat the append: its failure says nothing final. */
const isOpen = (refusal: unknown): boolean => ['OUTCOME_UNKNOWN', 'UNAVAILABLE'].includes(codeOf(refusal) ?? '')

/** The outcome of the append after all repeats. */
const settled = async ({ waitUntil }: RuleContext<EventStore>, append: () => Promise<void>): Promise<unknown> => {
  let refusal: unknown
  await waitUntil('an append to a task of the cohort is accepted or refused, with its repeats', async () => {
    refusal = await outcomeOf(append())
    return !isOpen(refusal)
  })
  return refusal
}

type Trouble = (taskId: TaskId, version: number, client: EventStore, own: readonly TaskEvent[]) => Promise<void>

/** Appends the histories of all tasks of a cohort at the same time, each append through a random client; `trouble` runs beside each append. */
const live = async (context: RuleContext<EventStore>, trouble: Trouble): Promise<void> => {
  const { port, peer, random, observe } = context
  const clients = [port, await peer(), await peer()]
  const drawn = (): EventStore => clients[Math.floor(random() * clients.length)] ?? port
  const tasks = cohort()
  const lives = tasks.map(async (taskId) => {
    const history: TaskEvent[] = []
    for (let version = 1; version <= versions; version++) {
      const event = eventOf(taskId, version)
      const client = drawn()
      const append = (): Promise<void> => client.append(taskId, version - 1, [event], { isFresh: version === 1 })
      const [refusal] = await Promise.all([settled(context, append), trouble(taskId, version, drawn(), history)])
      observe({ taskId, version, refusal, history })
      holds(refusal === undefined, `the append of version ${version} to task ${taskId} was refused: ${inspect(refusal)}`)
      history.push(event)
    }
    return history
  })
  const histories = await Promise.all(lives)
  for (const [index, taskId] of tasks.entries())
    same(await drawn().read(taskId), histories[index], `the history of task ${index + 1} of ${tasks.length}`)
}

/** Rules 2.x, continued: the tasks of a cohort do not affect one another. */
export const cohortRules: readonly Rule<EventStore>[] = [
  {
    id: 'ES-2.7',
    kind: 'race',
    title: 'appends to different tasks of one cohort, from independent clients, are all accepted, each exactly once',
    hint: 'a condition on the whole cohort refuses neighbours; when a joint commit is refused, try its appends one by one',
    run: (context) => live(context, async () => {}),
  },
  {
    id: 'ES-2.8',
    kind: 'race',
    title: 'a conflict of one task, or the aborted signal of one append, does not affect the others of its cohort',
    hint: 'the outcome of a batch is not the outcome of each append in it, and the signal of a caller ends only its own call',
    run: (context) =>
      live(context, async (taskId, version, client, history) => {
        const last = history.at(-1)
        if (last === undefined) return
        if (context.random() < 0.5) {
          const stale = startedEvent(taskId, version - 1, 99)
          const refusal = await settled(context, () => client.append(taskId, version - 2, [stale]))
          failedWith(refusal, 'VERSION_CONFLICT', `a stale append to task ${taskId}`)
          return
        }
        // The repeat of an append that succeeded: whatever its outcome, it changes nothing.
        const controller = new AbortController()
        const reason = new Error('aborted by the rule')
        const repeated = outcomeOf(client.append(taskId, version - 2, [last], { signal: controller.signal }))
        // At once, while the append waits for its turn, or while it is sent together with others.
        for (let turns = context.random() * 4; turns > 1; turns--) await new Promise((resolve) => setImmediate(resolve))
        controller.abort(reason)
        const refusal = await context.within(`an aborted repeat to task ${taskId} ends`, repeated)
        holds(
          refusal === undefined || refusal === reason || isOpen(refusal),
          `an aborted repeat to task ${taskId}: expected success, the reason of the signal, UNAVAILABLE or OUTCOME_UNKNOWN; it failed with ${String(refusal)}`,
        )
      }),
  },
]
