import { inspect } from 'node:util'
import type { EventStore, TaskEvent, TaskId } from '@taskledger/core/ports'
import { codeOf, hasCode } from '@taskledger/core/ports'
import type { Faults, Subject } from '../../framework/harness.ts'
import type { Rule, RuleContext } from '../../framework/rule.ts'
import { failedWith, holds, same, Unexpected } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
import { createdEvent, everyEvent, freshTaskId, startedEvent } from '../sample-data.ts'

const needs =
  (fault: keyof Faults) =>
  ({ faults }: Subject<EventStore>): string | undefined =>
    faults?.[fault] === undefined ? `the harness has no fault "${fault}"` : undefined

/**
 * Repeats an append until it is accepted, as core does. A writer must never get a conflict with its own events. If it is never accepted, the
 * client has not recovered, which ES-F.1 to F.5 look at.
 */
const repeat = async (
  { port, waitUntil }: RuleContext<EventStore>,
  step: string,
  taskId: TaskId,
  version: number,
  events: readonly TaskEvent[],
): Promise<void> =>
  waitUntil(`the client has recovered, ${step}, and its repeated append is accepted`, async () => {
    const refusal = await outcomeOf(port.append(taskId, version, events))
    holds(!hasCode(refusal, 'VERSION_CONFLICT'), `the repeat of an append got a conflict with its own events, ${step}`)
    if (refusal !== undefined) throw refusal as Error
    return true
  })

/** Reads after a fault: the first reads may use a connection that has just broken. */
const historyOf = async (
  { waitUntil }: RuleContext<EventStore>,
  step: string,
  port: EventStore,
  taskId: TaskId,
): Promise<readonly TaskEvent[]> => {
  let history: readonly TaskEvent[] = []
  await waitUntil(`the client has recovered, ${step}, and the history can be read`, async () => {
    history = await port.read(taskId)
    return true
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
      const [first, second] = [events.slice(0, 2), events.slice(2, 4)]
      const repeated = async (repeat: Promise<void>, what: string): Promise<void> => {
        const refusal = await outcomeOf(repeat)
        if (refusal !== undefined) throw new Unexpected(`${what}: expected success; it failed with ${inspect(refusal)}`)
      }
      await port.append(taskId, 0, first)
      await repeated(port.append(taskId, 0, first), 'the repeat of the last append')
      await repeated((await peer()).append(taskId, 0, first), 'the repeat of the last append by another client')
      await port.append(taskId, 2, second)
      await repeated(port.append(taskId, 0, first), 'the repeat of an append that another one has followed')
      await repeated(port.append(taskId, 2, second), 'the repeat of an append that is not the first')
      same(await port.read(taskId), events.slice(0, 4), 'the history after each append was repeated')
      // The first event of the batch is there already and the next is new: this is another append.
      const mixed = [events[2], startedEvent(taskId, 4)].filter((event) => event !== undefined)
      const what = 'an append of which only the first event is stored'
      failedWith(await outcomeOf(port.append(taskId, 2, mixed)), 'VERSION_CONFLICT', what)
      same(await port.read(taskId), events.slice(0, 4), `the history after ${what}`)
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
      const refusal = await within('an append ends whose answer is lost', outcomeOf(port.append(taskId, 1, [started])))
      await restore()
      if (refusal !== undefined) failedWith(refusal, 'OUTCOME_UNKNOWN', 'an append whose answer was lost')
      // A reader of the event may append after it before the writer repeats.
      const other = await peer()
      const step = 'after answers were lost'
      const seen = await historyOf(context, step, other, taskId)
      observe(seen)
      const next = seen.length === 2 ? [startedEvent(taskId, 3, 2)] : []
      if (next.length > 0) await other.append(taskId, 2, next)
      await repeat(context, step, taskId, 1, [started])
      same(
        await historyOf(context, step, other, taskId),
        [created, started, ...next],
        'the history after the repeat of an append whose answer was lost',
      )
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
      for (let round = 1; round <= cutRounds; round++) {
        const taskId = freshTaskId()
        const events = everyEvent(taskId)
        const append = outcomeOf(port.append(taskId, 0, events))
        await pause(random() * usualMs)
        await faults.cut()
        const step = `after cut ${round} of ${cutRounds}`
        const refusal = await within(`an append ends whose connection was cut, ${step}`, append)
        const history = await historyOf(context, step, reader, taskId)
        observe({ round, refusal, history })
        const { length } = history
        holds(length === 0 || length === events.length, `${length} of the ${events.length} events of an append are there, ${step}`)
        if (refusal === undefined) holds(length > 0, `an append was acknowledged, and its events are missing, ${step}`)
        else {
          failedWith(refusal, ['UNAVAILABLE', 'OUTCOME_UNKNOWN'], `an append whose connection was cut, ${step}`)
          holds(
            codeOf(refusal) !== 'UNAVAILABLE' || length === 0,
            `an append was reported as UNAVAILABLE, and its events are there, ${step}`,
          )
        }
        await repeat(context, step, taskId, 0, events)
        same(await historyOf(context, step, reader, taskId), events, `the history after the repeat of an append, ${step}`)
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
          same(
            history.map(({ version }) => version),
            history.map((_, index) => index + 1),
            'the versions that a reader beside a writer sees',
          )
          const [before = 0] = versions.slice(-1)
          holds(history.length >= before, `a reader saw ${before} events, and then ${history.length}`)
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
      const odd = versions.find((count) => count % 2 === 1)
      holds(odd === undefined, `a reader saw ${odd} events: half of an append of two`)
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
      const step = 'after a restart of the engine'
      same(await historyOf(context, step, port, taskId), events, `the history, ${step}`)
      same(await historyOf(context, step, await peer(), taskId), events, `the history, read by a new client, ${step}`)
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
      for (const time of ['first', 'second'])
        failedWith(await outcomeOf(port.read(broken)), 'MALFORMED', `the ${time} read of a history with a row that cannot be decoded`)
      same(await port.read(whole), [created], 'the history of another task')
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
      for (const time of ['first', 'second']) {
        const what = `the ${time} read of a history with an event of the type TaskHibernated`
        const refusal = await outcomeOf(port.read(taskId))
        failedWith(refusal, 'UNKNOWN_EVENT_TYPE', what)
        holds(String(refusal).includes('TaskHibernated'), `${what}: its error does not name the type: ${String(refusal)}`)
      }
    },
  },
]
