import assert from 'node:assert/strict'
import type { EventStore, TaskEvent, TaskId } from '@taskledger/core/ports'
import { hasCode } from '@taskledger/core/ports'
import type { Rule, RuleContext } from '../../framework/rule.ts'
import { outcomeOf } from '../outcome.ts'
import { createdEvent, everyEvent, freshTaskId, startedEvent } from '../sample-data.ts'

const rounds = 20
const writers = 8

const refusedWith = async (append: Promise<void>, actualVersion: number): Promise<void> => {
  const refusal = await outcomeOf(append)
  assert.ok(hasCode(refusal, 'VERSION_CONFLICT'), `expected a conflict, got ${String(refusal)}`)
  assert.equal(refusal.actualVersion, actualVersion, 'the conflict has the actual version of the history')
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
    assert.equal(winners.length, 1, `${winners.length} writers won round ${version}`)
    for (const refusal of refusals)
      assert.ok(refusal === undefined || hasCode(refusal, 'VERSION_CONFLICT'), `a losing writer got ${String(refusal)}`)
    known = [...known, ...winners.map(({ event }) => event)]
    assert.deepEqual(history, known, 'the history has the events of the winners')
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
      await refusedWith(port.append(taskId, 1, [startedEvent(taskId, 2)]), 3)
      await refusedWith(port.append(taskId, 2, [startedEvent(taskId, 3), startedEvent(taskId, 4)]), 3)
      assert.deepEqual(await port.read(taskId), events.slice(0, 3))
    },
  },
  {
    id: 'ES-2.2',
    kind: 'plain',
    title: 'an append with a version ahead is refused with the actual version and writes nothing',
    hint: 'check that the previous event exists: a free row is not enough',
    run: async ({ port }) => {
      const taskId = freshTaskId()
      await refusedWith(port.append(taskId, 1, [startedEvent(taskId, 2)]), 0)
      const created = createdEvent(taskId)
      await port.append(taskId, 0, [created])
      await refusedWith(port.append(taskId, 2, [startedEvent(taskId, 3)]), 1)
      assert.deepEqual(await port.read(taskId), [created])
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
      await refusedWith(port.append(taskId, 0, [createdEvent(taskId)]), 1)
      await refusedWith((await peer()).append(taskId, 0, [createdEvent(taskId)]), 1)
      assert.deepEqual(await port.read(taskId), [created])
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
      for (const client of clients) await refusedWith(client.append(taskId, 0, [createdEvent(taskId)]), 1)
      assert.deepEqual(await other.read(taskId), [created])
      await other.append(taskId, 1, [started])
      await Promise.all([begin(port), port.append(taskId, 2, [later]), begin(other)])
      for (const client of clients) {
        await begin(client)
        await refusedWith(client.append(taskId, 1, [startedEvent(taskId, 2)]), 3)
        assert.deepEqual(await client.read(taskId), [created, started, later])
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
      assert.deepEqual(await port.read(removed.taskId), [])
      assert.deepEqual(await (await peer()).read(removed.taskId), [])
      assert.deepEqual(await port.read(kept.taskId), kept.events)
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
      for (const client of [port, other]) await refusedWith(client.append(taskId, 2, [startedEvent(taskId, 3)]), 0)
      assert.deepEqual(await port.read(taskId), [])
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
          await refusedWith(client.append(taskId, 1, [startedEvent(taskId, 2)], { follows: removed.eventId }), 1)
        assert.deepEqual(await port.read(taskId), [created])
        for (const client of clients) await client.append(taskId, 1, [started], { follows: created.eventId })
        for (const client of clients) {
          await refusedWith(client.append(taskId, 1, [startedEvent(taskId, 2)], { follows: created.eventId }), 2)
          await refusedWith(client.append(taskId, 2, [startedEvent(taskId, 3)], { follows: created.eventId }), 2)
        }
        await port.append(taskId, 2, [completed], { follows: started.eventId })
        for (const client of clients) await client.append(taskId, 1, [started], { follows: created.eventId })
        assert.deepEqual(await port.read(taskId), [created, started, completed])
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
      assert.deepEqual(await other.read(taskId), events)
      await other.remove(taskId, { firstEventId: first?.eventId ?? '' })
      assert.deepEqual(await port.read(taskId), [])
      await port.append(taskId, 0, [next])
      for (const client of [port, other]) await client.remove(taskId, { firstEventId: first?.eventId ?? '' })
      assert.deepEqual(await other.read(taskId), [next])
      await port.remove(freshTaskId(), { firstEventId: next.eventId })
    },
  },
]
