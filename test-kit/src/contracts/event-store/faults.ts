import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { EventStore, TaskEvent, TaskId } from '@taskledger/core/ports'
import { codeOf, hasCode } from '@taskledger/core/ports'
import type { Faults, Subject } from '../../framework/harness.ts'
import type { Rule, RuleContext } from '../../framework/rule.ts'
import { outcomeOf } from '../outcome.ts'
import { createdEvent, everyEvent, freshTaskId, startedEvent } from '../sample-data.ts'

const needs =
  (fault: keyof Faults) =>
  ({ faults }: Subject<EventStore>): string | undefined =>
    faults?.[fault] === undefined ? `the harness has no fault "${fault}"` : undefined

/** Repeats an append until it is accepted, as core does. A writer must never get a conflict with its own event. */
const repeat = async (
  { port, waitUntil }: RuleContext<EventStore>,
  taskId: TaskEvent['taskId'],
  version: number,
  events: readonly TaskEvent[],
) => {
  let refusal: unknown
  await waitUntil('a repeated append is accepted', async () => {
    refusal = await outcomeOf(port.append(taskId, version, events))
    assert.ok(!hasCode(refusal, 'VERSION_CONFLICT'), 'the writer got a conflict with its own events')
    return refusal === undefined
  })
}

/** Reads after a fault: the first reads may use a connection that has just broken. */
const historyOf = async ({ waitUntil }: RuleContext<EventStore>, port: EventStore, taskId: TaskId): Promise<readonly TaskEvent[]> => {
  let history: readonly TaskEvent[] = []
  await waitUntil('the history can be read after a fault', async () => {
    const refusal = await outcomeOf(port.read(taskId).then((events) => void (history = events)))
    return refusal === undefined
  })
  return history
}

/** Waits for a shorter time than a timer can. */
const pause = async (ms: number): Promise<void> => {
  const until = performance.now() + ms
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve))
}

const cutRounds = 20

/** Rules 3.x and 4.x: repeats, faults and rows that cannot be decoded. */
export const faultRules: readonly Rule<EventStore>[] = [
  {
    id: 'ES-3.1',
    kind: 'plain',
    title: 'a repeated append succeeds and adds nothing, even after others have written',
    hint: 'when the version does not match, check whether the event ids at those versions are your own',
    run: async ({ port, peer }) => {
      const taskId = freshTaskId()
      const events = everyEvent(taskId)
      await port.append(taskId, 0, events.slice(0, 2))
      await port.append(taskId, 0, events.slice(0, 2))
      await (await peer()).append(taskId, 0, events.slice(0, 2))
      await port.append(taskId, 2, events.slice(2, 4))
      await port.append(taskId, 0, events.slice(0, 2))
      await port.append(taskId, 2, events.slice(2, 4))
      assert.deepEqual(await port.read(taskId), events.slice(0, 4))
      // The first event of the batch is there already and the next is new: this is another append.
      const mixed = [events[2], startedEvent(taskId, 4)].filter((event) => event !== undefined)
      assert.ok(hasCode(await outcomeOf(port.append(taskId, 2, mixed)), 'VERSION_CONFLICT'))
      assert.deepEqual(await port.read(taskId), events.slice(0, 4))
    },
  },
  {
    id: 'ES-3.2',
    kind: 'fault',
    title: 'an append whose reply is lost succeeds or fails with OUTCOME_UNKNOWN, and its repeat leaves exactly one copy',
    hint: 'never report a lost reply as a failure or a conflict; recognise your own event by its id',
    notShown: needs('loseReplies'),
    run: async (context) => {
      const { port, peer, faults, within, observe } = context
      const taskId = freshTaskId()
      const created = createdEvent(taskId)
      await port.append(taskId, 0, [created])
      const started = startedEvent(taskId, 2)
      const restore = await faults.loseReplies()
      const refusal = await within('an append without a reply ends', outcomeOf(port.append(taskId, 1, [started])))
      await restore()
      assert.ok(refusal === undefined || codeOf(refusal) === 'OUTCOME_UNKNOWN', `a lost reply was reported as ${inspect(refusal)}`)
      // A reader of the event may append after it before the writer repeats.
      const other = await peer()
      const seen = await historyOf(context, other, taskId)
      observe(seen)
      const next = seen.length === 2 ? [startedEvent(taskId, 3, 2)] : []
      if (next.length > 0) await other.append(taskId, 2, next)
      await repeat(context, taskId, 1, [started])
      assert.deepEqual(await historyOf(context, other, taskId), [created, started, ...next])
    },
  },
  {
    id: 'ES-3.3',
    kind: 'fault',
    title: 'an append whose connection is cut is written whole or not at all',
    hint: 'use one transaction or batch for all events of an append',
    notShown: needs('cut'),
    run: async (context) => {
      const { port, peer, faults, within, observe, random } = context
      const reader = await peer()
      const undisturbed = freshTaskId()
      const begun = performance.now()
      await port.append(undisturbed, 0, everyEvent(undisturbed))
      const usualMs = performance.now() - begun
      for (let round = 0; round < cutRounds; round++) {
        const taskId = freshTaskId()
        const events = everyEvent(taskId)
        const append = outcomeOf(port.append(taskId, 0, events))
        await pause(random() * usualMs)
        await faults.cut()
        const refusal = await within('an append that was cut ends', append)
        const history = await historyOf(context, reader, taskId)
        observe({ round, refusal, history })
        assert.ok(history.length === 0 || history.length === events.length, `${history.length} of ${events.length} events are there`)
        if (refusal === undefined) assert.equal(history.length, events.length, 'the append was acknowledged, and its events are missing')
        else if (codeOf(refusal) === 'UNAVAILABLE')
          assert.equal(history.length, 0, 'the append was reported as not done, and its events are there')
        else assert.equal(codeOf(refusal), 'OUTCOME_UNKNOWN', `a cut was reported as ${inspect(refusal)}`)
        await repeat(context, taskId, 0, events)
        assert.deepEqual(await historyOf(context, reader, taskId), events)
      }
    },
  },
  {
    id: 'ES-3.4',
    kind: 'race',
    title: 'a reader beside a writer sees a prefix of the history, without a hole',
    hint: 'read the history in one statement, from one snapshot',
    run: async ({ port, peer, observe }) => {
      const reader = await peer()
      const taskId = freshTaskId()
      const versions: number[] = []
      let isWriting = true
      const reading = (async () => {
        while (isWriting) {
          const history = await reader.read(taskId)
          observe(history.map(({ version }) => version))
          assert.deepEqual(
            history.map(({ version }) => version),
            history.map((_, index) => index + 1),
          )
          assert.ok(history.length >= (versions.at(-1) ?? 0), 'the history became shorter')
          versions.push(history.length)
          await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      // It is awaited below, but may fail earlier.
      reading.catch(() => {})
      try {
        for (let version = 1; version <= 60; version += 2) {
          const first = version === 1 ? createdEvent(taskId) : startedEvent(taskId, version)
          await port.append(taskId, version - 1, [first, startedEvent(taskId, version + 1)])
          if (version % 6 === 1) await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        isWriting = false
        await reading
      }
      assert.ok(
        versions.every((count) => count % 2 === 0),
        'half of an append was seen',
      )
    },
  },
  {
    id: 'ES-3.5',
    kind: 'fault',
    title: 'an acknowledged event survives a restart of the engine',
    hint: 'resolve after the engine has synced its log, not before',
    notShown: (subject) =>
      subject.port.capabilities.durability === 'none' ? "the capability durability is 'none'" : needs('restart')(subject),
    run: async (context) => {
      const { port, peer, faults } = context
      const taskId = freshTaskId()
      const events = everyEvent(taskId)
      await port.append(taskId, 0, events)
      await faults.restart()
      assert.deepEqual(await historyOf(context, port, taskId), events)
      assert.deepEqual(await historyOf(context, await peer(), taskId), events)
    },
  },
  {
    id: 'ES-4.1',
    kind: 'plain',
    title: 'a row that cannot be decoded fails with a code; it is kept, and other tasks can still be read',
    hint: 'pass on the error of the codec; never skip or delete the row',
    notShown: ({ inject }) => (inject === undefined ? 'the harness has no "inject"' : undefined),
    run: async ({ port, inject }) => {
      const [broken, whole] = [freshTaskId(), freshTaskId()]
      await port.append(broken, 0, [createdEvent(broken)])
      const created = createdEvent(whole)
      await port.append(whole, 0, [created])
      await inject?.(new TextEncoder().encode('{"v":1,"type":"TaskStar'), broken)
      for (const _ of [1, 2]) assert.equal(codeOf(await outcomeOf(port.read(broken))), 'MALFORMED')
      assert.deepEqual(await port.read(whole), [created])
    },
  },
  {
    id: 'ES-4.2',
    kind: 'plain',
    title: 'an event of an unknown type fails with an error that names the type, and is kept',
    hint: 'a newer release wrote it: pass on the error of the codec',
    notShown: ({ inject }) => (inject === undefined ? 'the harness has no "inject"' : undefined),
    run: async ({ port, inject }) => {
      const taskId = freshTaskId()
      await port.append(taskId, 0, [createdEvent(taskId)])
      const { type: _type, ...future } = startedEvent(taskId, 2)
      await inject?.(new TextEncoder().encode(JSON.stringify({ v: 2, type: 'TaskHibernated', ...future })), taskId)
      for (const _ of [1, 2]) {
        const refusal = await outcomeOf(port.read(taskId))
        assert.equal(codeOf(refusal), 'UNKNOWN_EVENT_TYPE')
        assert.match(String(refusal), /TaskHibernated/)
      }
    },
  },
]
