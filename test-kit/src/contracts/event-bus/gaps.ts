import type { EventBus, TaskNotice } from '@taskledger/core/ports'
import type { RuleContext } from '../../framework/rule.ts'
import type { Probe } from '../fault-traits.ts'
import { same } from '../expectations.ts'
import type { Ear } from './hearing.ts'
import { hasHeard, lastNotice, listenOn, publishUntilAccepted } from './hearing.ts'

/** A client, what it heard, and how many gaps it told. */
export interface Watched {
  readonly client: EventBus
  readonly ear: Ear
  gaps: number
}

/** Listens on each client, for notices and for gaps. A gap listener that throws comes first. */
export const watch = (clients: readonly EventBus[]): readonly Watched[] =>
  clients.map((client) => {
    const watched = { client, ear: listenOn(client), gaps: 0 }
    client.onGap(() => {
      throw new Error('thrown by a gap listener on purpose')
    })
    client.onGap(() => watched.gaps++)
    return watched
  })

/**
 * Publishes a notice by a client, and waits until all have heard it. A notice may be lost only if its loss is told: if a client that did not
 * hear the notice tells a gap, another notice is published. Returns the notice that all have heard.
 */
export const hearOneAnother = async (
  context: RuleContext<EventBus>,
  publisher: EventBus,
  listeners: readonly Watched[],
  step: string,
): Promise<TaskNotice> => {
  const begin = async () => ({ gaps: listeners.map(({ gaps }) => gaps), notice: await publishUntilAccepted(context, publisher, step) })
  let { gaps, notice } = await begin()
  await context.waitUntil(`every client hears a notice that was published after its latest gap, ${step}`, async () => {
    const deaf = listeners.filter(({ ear }) => !hasHeard(ear, notice))
    if (deaf.some((each) => each.gaps > (gaps[listeners.indexOf(each)] ?? 0))) ({ gaps, notice } = await begin())
    return deaf.length === 0
  })
  return notice
}

/** In these faults every connection of every client is lost, and notices may be with it. */
const breaksConnections = /\b(cut|refuse|silence|restart)\b/

/**
 * What a bus does after each fault: it tells the gap, to every gap listener, and carries notices again, each once, from every client to
 * every client.
 */
export const hearsAgain: Probe<EventBus> = async (context, clients) => {
  const watched = watch(clients)
  const [first] = clients
  let calls = 0
  const remove = first?.onGap(() => calls++)
  if (first !== undefined)
    await lastNotice(
      context,
      first,
      watched.map(({ ear }) => ear),
    )
  remove?.()
  remove?.()
  let told = watched.map(({ gaps }) => gaps)
  const published: TaskNotice[] = []
  return async (step) => {
    if (breaksConnections.test(step))
      await context.waitUntil(`both clients tell their gap listeners of the gap, ${step}`, () =>
        watched.every(({ gaps }, index) => gaps > (told[index] ?? 0)),
      )
    for (const client of clients) published.push(await hearOneAnother(context, client, watched, step))
    for (const [index, { ear }] of watched.entries())
      for (const { taskId } of published)
        same(ear.heard.filter((notice) => notice.taskId === taskId).length, 1, `how often client ${index + 1} heard a notice, ${step}`)
    told = watched.map(({ gaps }) => gaps)
    same(calls, 0, `the calls of a gap listener that was removed, ${step}`)
  }
}
