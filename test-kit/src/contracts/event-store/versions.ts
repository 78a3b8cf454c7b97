import type { EventStore, TaskEvent, TaskId } from '@taskledger/core/ports'
import { hasCode } from '@taskledger/core/ports'
import type { Rule, RuleContext } from '../../framework/rule.ts'
import { failedWith, same } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
import { createdEvent, everyEvent, freshTaskId, startedEvent } from '../sample-data.ts'

const rounds = 20
const writers = 8

const refusedWith = async (append: Promise<void>, actualVersion: number, what: string): Promise<void> => {
  const refusal = await outcomeOf(append)
  failedWith(refusal, 'VERSION_CONFLICT', what)
  same(hasCode(refusal, 'VERSION_CONFLICT') && refusal.actualVersion, actualVersion, `the actual version in the conflict of ${what}`)
}

/** Lets writers race for the next version of one history, round after round. Exactly one writer wins each round. */
const race = async ({ observe, random }: RuleContext<EventStore>, clients: readonly EventStore[], reader: EventStore): Promise<void> => {
  const taskId = freshTaskId()
  let known: readonly TaskEvent[] = []
  for (let version = 1; version <= rounds; version++) {
    const attempts = Array.from({ length: writers }, (_, index) => ({
      event: version === 1 ? createdEvent(taskId) : startedEvent(taskId, version, index + 1),
      client: clients[index % clients.length] ?? reader,
      chance: random(),
    })).sort((a, b) => a.chance - b.chance)
    const refusals = await Promise.all(attempts.map(({ client, event }) => outcomeOf(client.append(taskId, version - 1, [event]))))
    const history = await reader.read(taskId)
    observe({ round: version, history, refusals })
    const winners = attempts.filter((_, index) => refusals[index] === undefined)
    same(winners.length, 1, `the number of writers that won round ${version} of ${rounds}`)
    for (const refusal of refusals)
      if (refusal !== undefined) failedWith(refusal, 'VERSION_CONFLICT', `the append of a writer that lost round ${version}`)
    known = [...known, ...winners.map(({ event }) => event)]
    same(history, known, `the history after round ${version}: the events of the winners`)
  }
}

/** Rules 2.x: one writer at a time. */
export const versionRules: readonly Rule<EventStore>[] = [
  {
    id: 'ES-2.1',
    kind: 'plain',
    title: 'an append with a stale version is refused with the actual version and writes nothing',
    hint: 'compare the expected version with the last version of the history: a check of one row is not enough',
    run: async ({ port }) => {
      const taskId = freshTaskId()
      const events = everyEvent(taskId)
      await port.append(taskId, 0, events.slice(0, 3))
      await refusedWith(port.append(taskId, 1, [startedEvent(taskId, 2)]), 3, 'an append at version 1 of 3')
      await refusedWith(
        port.append(taskId, 2, [startedEvent(taskId, 3), startedEvent(taskId, 4)]),
        3,
        'an append of two events at version 2 of 3',
      )
      same(await port.read(taskId), events.slice(0, 3), 'the history after two appends that were refused')
    },
  },
  {
    id: 'ES-2.2',
    kind: 'plain',
    title: 'an append with a version ahead is refused with the actual version and writes nothing',
    hint: 'check that the previous event exists: a free row is not enough',
    run: async ({ port }) => {
      const taskId = freshTaskId()
      await refusedWith(port.append(taskId, 1, [startedEvent(taskId, 2)]), 0, 'an append at version 1 of an empty history')
      const created = createdEvent(taskId)
      await port.append(taskId, 0, [created])
      await refusedWith(port.append(taskId, 2, [startedEvent(taskId, 3)]), 1, 'an append at version 2 of 1')
      same(await port.read(taskId), [created], 'the history after an append that was refused')
    },
  },
  {
    id: 'ES-2.3',
    kind: 'race',
    title: 'of racing writers on one client exactly one wins, and the others get a conflict',
    hint: 'a read-then-write check outside one atomic statement lets two writers win',
    run: (context) => race(context, [context.port], context.port),
  },
  {
    id: 'ES-2.4',
    kind: 'race',
    title: 'of racing writers on independent clients exactly one wins, and the others get a conflict',
    hint: 'a lock in the process does not reach other clients: the engine has to compare and write in one step',
    run: async (context) => race(context, [context.port, await context.peer(), await context.peer()], await context.peer()),
  },
  {
    id: 'ES-2.5',
    kind: 'plain',
    title: 'a second creation of a task is refused',
    hint: 'an insert that overwrites merges two tasks into one',
    run: async ({ port, peer }) => {
      const taskId = freshTaskId()
      const created = createdEvent(taskId)
      await port.append(taskId, 0, [created])
      await refusedWith(port.append(taskId, 0, [createdEvent(taskId)]), 1, 'a second creation by the same client')
      await refusedWith((await peer()).append(taskId, 0, [createdEvent(taskId)]), 1, 'a second creation by another client')
      same(await port.read(taskId), [created], 'the history after two creations that were refused')
    },
  },
  {
    id: 'ES-2.6',
    kind: 'plain',
    title: 'a fresh append begins a history once: its repeat adds nothing, and appends that compare versions are refused or follow it',
    hint: 'a fresh append may skip the comparison, but has to write the rows that other appends compare with; its repeat must not reset them',
    run: async ({ port, peer }) => {
      const taskId = freshTaskId()
      const [created, started, later] = [createdEvent(taskId), startedEvent(taskId, 2), startedEvent(taskId, 3, 2)]
      const clients = [port, await peer()] as const
      const [, other] = clients
      const begin = (client: EventStore): Promise<void> => client.append(taskId, 0, [created], { isFresh: true })
      for (const client of [port, port, other]) await begin(client)
      for (const client of clients) await refusedWith(client.append(taskId, 0, [createdEvent(taskId)]), 1, 'a second creation')
      same(await other.read(taskId), [created], 'the history after repeats of its fresh append')
      await other.append(taskId, 1, [started])
      await Promise.all([begin(port), port.append(taskId, 2, [later]), begin(other)])
      for (const client of clients) {
        await begin(client)
        await refusedWith(client.append(taskId, 1, [startedEvent(taskId, 2)]), 3, 'an append at version 1 of 3')
        same(await client.read(taskId), [created, started, later], 'the history after a late repeat of its fresh append')
      }
    },
  },
]

const history = async (port: EventStore, events: number): Promise<{ taskId: TaskId; events: readonly TaskEvent[] }> => {
  const taskId = freshTaskId()
  const all = everyEvent(taskId).slice(0, events)
  await port.append(taskId, 0, all)
  return { taskId, events: all }
}

/** Rules 5.x: removal. */
export const removalRules: readonly Rule<EventStore>[] = [
  {
    id: 'ES-5.1',
    kind: 'plain',
    title: 'a removed task is unknown to every client, and other tasks stay as they are',
    hint: 'put the task id into the condition of the deletion',
    run: async ({ port, peer }) => {
      const removed = await history(port, 4)
      const kept = await history(port, 4)
      await port.remove(removed.taskId)
      await port.remove(removed.taskId)
      await port.remove(freshTaskId())
      same(await port.read(removed.taskId), [], 'the history that was removed')
      same(await (await peer()).read(removed.taskId), [], 'the history that was removed, read by another client')
      same(await port.read(kept.taskId), kept.events, 'the history of another task')
    },
  },
  {
    id: 'ES-5.2',
    kind: 'plain',
    title: 'an append at the old version does not bring a removed task back',
    hint: 'check that the previous event exists: a free row is not enough',
    run: async ({ port, peer }) => {
      const { taskId } = await history(port, 2)
      const other = await peer()
      await port.remove(taskId)
      for (const client of [port, other])
        await refusedWith(client.append(taskId, 2, [startedEvent(taskId, 3)]), 0, 'an append at the last version of a removed history')
      same(await port.read(taskId), [], 'the removed history, after appends to it')
    },
  },
  {
    id: 'ES-5.3',
    kind: 'plain',
    title: 'an append is refused if the event before it has another id than the writer knows, also at the same version',
    hint: 'compare `follows` with the id of the event at the expected version, in the same atomic step',
    run: async ({ port, peer }) => {
      const clients = [port, await peer()] as const
      for (const isFresh of [false, true]) {
        const taskId = freshTaskId()
        const [removed, created] = [createdEvent(taskId), createdEvent(taskId)]
        const [started, completed] = [startedEvent(taskId, 2), startedEvent(taskId, 3, 2)]
        // A fresh id is drawn once: only another task can have begun again under its id.
        if (!isFresh) await port.append(taskId, 0, [removed])
        if (!isFresh) await port.remove(taskId)
        await port.append(taskId, 0, [created], isFresh ? { isFresh } : {})
        for (const client of clients)
          await refusedWith(
            client.append(taskId, 1, [startedEvent(taskId, 2)], { follows: removed.eventId }),
            1,
            'an append that follows an event of another history',
          )
        same(await port.read(taskId), [created], 'the history after appends that follow another one')
        for (const client of clients) await client.append(taskId, 1, [started], { follows: created.eventId })
        for (const client of clients) {
          const second = client.append(taskId, 1, [startedEvent(taskId, 2)], { follows: created.eventId })
          await refusedWith(second, 2, 'an append at version 1 of 2, which follows the event there')
          const third = client.append(taskId, 2, [startedEvent(taskId, 3)], { follows: created.eventId })
          await refusedWith(third, 2, 'an append at version 2 that follows the event at version 1')
        }
        await port.append(taskId, 2, [completed], { follows: started.eventId })
        for (const client of clients) await client.append(taskId, 1, [started], { follows: created.eventId })
        same(await port.read(taskId), [created, started, completed], 'the history after repeats of its second append')
      }
    },
  },
  {
    id: 'ES-5.4',
    kind: 'plain',
    title: 'a removal that names the first event removes that history, and no other history of the same id',
    hint: 'compare `firstEventId` in the same atomic step as the removal: a purge may be repeated late',
    run: async ({ port, peer }) => {
      const other = await peer()
      const { taskId, events } = await history(port, 3)
      const [first] = events
      const next = createdEvent(taskId)
      await port.remove(taskId, { firstEventId: next.eventId })
      same(await other.read(taskId), events, 'the history after a removal that names another first event')
      await other.remove(taskId, { firstEventId: first?.eventId ?? '' })
      same(await port.read(taskId), [], 'the history after a removal that names its first event')
      await port.append(taskId, 0, [next])
      for (const client of [port, other]) await client.remove(taskId, { firstEventId: first?.eventId ?? '' })
      same(await other.read(taskId), [next], 'the next history of the id, after a late removal of the one before')
      await port.remove(freshTaskId(), { firstEventId: next.eventId })
    },
  },
  {
    id: 'ES-5.5',
    kind: 'plain',
    title: 'a removed history can be begun again, with other and with the same event ids, and nothing of the old one is left',
    hint: 'remove everything that an append compares with: rows, versions, and the ids of events',
    run: async ({ port, peer }) => {
      const other = await peer()
      for (const again of ['other', 'the same'] as const) {
        const { taskId, events } = await history(port, 4)
        await port.remove(taskId)
        const next = again === 'other' ? everyEvent(taskId) : events
        for (const event of next.slice(0, 3)) {
          const [previous] = next.slice(event.version - 2, event.version - 1)
          const writer = event.version === 2 ? other : port
          await writer.append(taskId, event.version - 1, [event], event.version > 1 && previous ? { follows: previous.eventId } : {})
          for (const client of [port, other])
            same(await client.read(taskId), next.slice(0, event.version), `the history that was begun again with ${again} event ids`)
        }
      }
    },
  },
  {
    id: 'ES-5.6',
    kind: 'plain',
    title:
      'a repeat of an append to a removed history is refused if it follows an event; if it begins the history, it is judged as a new append',
    hint: 'what an append compares with is the history as it is now: an event that was removed is not stored',
    run: async ({ port, peer }) => {
      const clients = [port, await peer()]
      const { taskId, events } = await history(port, 2)
      const [created, started] = [events.slice(0, 1), events.slice(1)]
      const follows = created[0]?.eventId ?? ''
      await port.remove(taskId)
      for (const client of clients)
        for (const options of [{}, { follows }])
          await refusedWith(client.append(taskId, 1, started, options), 0, 'the repeat of the second append, after the removal')
      same(await port.read(taskId), [], 'the removed history, after repeats of its second append')
      const next = createdEvent(taskId)
      await port.append(taskId, 0, [next])
      for (const client of clients) {
        await refusedWith(client.append(taskId, 0, created), 1, 'the repeat of the first append of a removed history, beside a new one')
        await refusedWith(client.append(taskId, 1, started, { follows }), 1, 'the repeat of the second append, beside a new history')
      }
      same(await port.read(taskId), [next], 'the new history, after repeats of appends to the removed one')
      // A fresh append may skip the comparison, so its late repeat may begin the history again or have no effect.
      const fresh = freshTaskId()
      const first = createdEvent(fresh)
      await port.append(fresh, 0, [first], { isFresh: true })
      await port.remove(fresh)
      for (const client of clients) await client.append(fresh, 0, [first], { isFresh: true })
      const seen = await port.read(fresh)
      same(seen, seen.length === 0 ? [] : [first], 'the history after the late repeat of its fresh append')
      await port.remove(fresh)
      await port.append(fresh, 0, [createdEvent(fresh)])
    },
  },
]
