import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CommandDecision } from '../../src/domain/decide.ts'
import type { TaskCommand } from '../../src/domain/task-command.ts'
import type { TaskEvent } from '../../src/domain/task-event.ts'
import type { TaskState } from '../../src/domain/task-state.ts'
import { decide } from '../../src/domain/decide.ts'
import { evolve, stateOf } from '../../src/domain/evolve.ts'
import { detailsOf } from '../../src/domain/task-details.ts'
import { isFinalEvent, statusAfter } from '../../src/domain/task-event.ts'
import { initialState } from '../../src/domain/task-state.ts'
import { isFinalStatus } from '../../src/domain/task-status.ts'
import { checkHistory } from '../../src/testing/index.ts'
import { clockSpreadMs, command, createTask, event, time } from './arbitraries.ts'

interface Life {
  readonly history: readonly TaskEvent[]
  readonly decisions: readonly { readonly command: TaskCommand; readonly before: TaskState; readonly decision: CommandDecision }[]
}

/** What comes of commands that are given one after the other. */
const live = (commands: readonly TaskCommand[]): Life => {
  const history: TaskEvent[] = []
  const decisions: Life['decisions'][number][] = []
  let state = initialState
  for (const command of commands) {
    const decision = decide(command, state)
    decisions.push({ command, before: state, decision })
    if (decision.type === 'refused') continue
    history.push(...decision.events)
    state = decision.events.reduce(evolve, state)
  }
  return { history, decisions }
}

/** A command for the running attempt if `aimed`; otherwise the drawn command, which may be of a stale attempt. */
const aim = (command: TaskCommand, attempt: number): TaskCommand => ('attempt' in command ? { ...command, attempt } : command)

/** Whole lives: many commands aim at the attempt that runs, some come twice, and clocks differ. */
const lives: fc.Arbitrary<Life> = fc
  .tuple(
    createTask,
    fc.array(fc.record({ command, aimed: fc.integer({ min: 0, max: 3 }), twice: fc.integer({ min: 0, max: 5 }) }), { maxLength: 40 }),
  )
  .map(([create, draws]) => {
    const commands: TaskCommand[] = [create]
    for (const { command, aimed, twice } of draws) {
      const { attempt } = stateOf(live(commands).history)
      const eventIds = [`${commands.length}a`, `${commands.length}b`] as const
      commands.push({ ...(aimed > 0 ? aim(command, attempt) : command), eventIds })
      if (twice === 0) commands.push(commands.at(-1) as TaskCommand)
    }
    return live(commands)
  })

/** Impossible histories: any events in any order. */
const garbage = fc.array(event, { maxLength: 20 })

describe('for any sequence of commands', () => {
  test('the history obeys the rules', () => {
    fc.assert(
      fc.property(lives, ({ history }) => {
        expect(checkHistory(history, { clockSkewMs: clockSpreadMs })).toEqual([])
      }),
    )
  })

  test('the fencing token of each attempt is more than that of the attempt before, and at least what the claim asks for', () => {
    fc.assert(
      fc.property(lives, ({ decisions }) => {
        for (const { command, before, decision } of decisions) {
          if (command.type !== 'StartTask' || decision.type === 'refused') continue
          const fence = decision.events.reduce(evolve, before).fence
          expect(fence).toBeGreaterThan(before.fence)
          expect(fence).toBeGreaterThanOrEqual(command.fence ?? command.at)
        }
      }),
    )
  })

  test('a finished task does not change', () => {
    fc.assert(
      fc.property(lives, command, ({ history }, command) => {
        const state = stateOf(history)
        fc.pre(isFinalStatus(state.status))
        expect(decide(command, state)).toEqual({ type: 'refused', reason: command.type === 'CreateTask' ? 'alreadyExists' : 'finished' })
      }),
    )
  })

  test('a stale attempt settles nothing', () => {
    fc.assert(
      fc.property(lives, command, ({ history }, command) => {
        const state = stateOf(history)
        fc.pre('attempt' in command && command.attempt !== state.attempt)
        expect(decide(command, state).type).toBe('refused')
      }),
    )
  })

  test('a repeated command has no further effect, except a start', () => {
    fc.assert(
      fc.property(lives, ({ decisions }) => {
        for (const { command, before, decision } of decisions) {
          if (decision.type === 'refused' || command.type === 'StartTask') continue
          const again = decide(command, decision.events.reduce(evolve, before))
          expect(again.type === 'refused' || again.events.length === 0).toBe(true)
        }
      }),
    )
  })

  test('no command causes more events than it has ids for, and all have its node and its time, or the later time of the event before', () => {
    fc.assert(
      fc.property(lives, ({ decisions }) => {
        for (const { command, before, decision } of decisions) {
          if (decision.type === 'refused') continue
          expect(decision.events.map(({ eventId }) => eventId)).toEqual(command.eventIds.slice(0, decision.events.length))
          for (const { at, node, taskId } of decision.events)
            expect({ at, node, taskId }).toEqual({ at: Math.max(command.at, before.updatedAt), node: command.node, taskId: command.taskId })
        }
      }),
    )
  })

  test('events contain nothing that JSON would drop', () => {
    fc.assert(
      fc.property(lives, ({ history }) => {
        expect(JSON.parse(JSON.stringify(history))).toStrictEqual(history)
      }),
    )
  })

  test('failures and crashes stay within the policy', () => {
    fc.assert(
      fc.property(lives, ({ history }) => {
        const { failures, crashes, retry, status } = stateOf(history)
        expect(failures).toBeLessThanOrEqual(retry.maxAttempts)
        const last = status === 'died' || status === 'cancelled' ? 1 : 0
        expect(crashes.inARow).toBeLessThanOrEqual(retry.maxCrashes + last)
        expect(crashes.all).toBeLessThanOrEqual(10 * retry.maxCrashes + last)
      }),
    )
  })

  test('a decision does not change its state, and depends on nothing else', () => {
    fc.assert(
      fc.property(lives, command, ({ history }, command) => {
        const state = Object.freeze(stateOf(history))
        expect(decide(Object.freeze(command), state)).toEqual(decide(command, state))
      }),
    )
  })

  test('every kind of life occurs', () => {
    // Keeps the properties above from passing because nothing ever happens.
    const met = new Set(
      fc.sample(lives, { numRuns: 1_000, seed: 7 }).flatMap(({ history }) => [stateOf(history).status, ...history.map(({ type }) => type)]),
    )
    const statuses = ['waiting', 'inProgress', 'cancelRequested', 'completed', 'failed', 'cancelled', 'died']
    const begun = ['TaskCreated', 'TaskStarted', 'TaskReleased']
    const ended = ['TaskCancelRequested', 'TaskCompleted', 'TaskFailed', 'TaskCancelled', 'TaskDied']
    expect(met).toEqual(new Set([...statuses, ...begun, ...ended]))
  })
})

describe('the folds', () => {
  test('agree on status, version and attempt, whatever happened', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          lives.map(({ history }) => history),
          garbage,
        ),
        (history) => {
          const begun = history.findIndex(({ type }) => type === 'TaskCreated')
          fc.pre(begun === 0 && history.every(({ type }, index) => index === 0 || type !== 'TaskCreated'))
          const { status, version, attempt } = stateOf(history)
          expect(detailsOf(history)).toMatchObject({ status, version, attempt })
        },
      ),
    )
  })

  test('agree on the fencing token', () => {
    fc.assert(
      fc.property(lives, ({ history }) => {
        const { attempt, fence } = stateOf(history)
        fc.pre(attempt > 0)
        expect(detailsOf(history)?.fence).toBe(fence)
      }),
    )
  })

  test('agree on the number of crashes', () => {
    fc.assert(
      fc.property(lives, ({ history }) => {
        expect(detailsOf(history)?.crashes ?? 0).toBe(stateOf(history).crashes.all)
      }),
    )
  })

  test('agree on when the task is due', () => {
    fc.assert(
      fc.property(lives, ({ history }) => {
        const { status, dueAt } = stateOf(history)
        fc.pre(status === 'waiting')
        expect(detailsOf(history)?.dueAt ?? 0).toBe(dueAt)
      }),
    )
  })

  test('end in the status of the last event', () => {
    fc.assert(
      fc.property(garbage, (history) => {
        const last = history.at(-1)
        fc.pre(last !== undefined)
        if (last === undefined) return
        expect(stateOf(history).status).toBe(statusAfter(last))
        expect(isFinalStatus(stateOf(history).status)).toBe(isFinalEvent(last))
      }),
    )
  })

  test('accept any sequence of events', () => {
    fc.assert(
      fc.property(garbage, (history) => {
        expect(() => [stateOf(history), detailsOf(history)]).not.toThrow()
      }),
    )
  })

  test('accept events of unknown types, and only change version, time and node', () => {
    const unknown = fc.record({
      type: fc.string(),
      version: fc.nat(),
      at: time,
      node: fc.string(),
      anything: fc.anything(),
    }) as unknown as fc.Arbitrary<TaskEvent>
    fc.assert(
      fc.property(lives, unknown, ({ history }, event) => {
        fc.pre(!/^Task[A-Z]/.test(event.type))
        const state = stateOf(history)
        expect(evolve(state, event)).toEqual({ ...state, version: event.version, updatedAt: Math.max(state.updatedAt, event.at) })
        expect(detailsOf([...history, event])).toEqual({
          ...detailsOf(history),
          version: event.version,
          updatedAt: event.at,
          updatedOn: event.node,
        })
      }),
    )
  })

  test('fold a history in parts as at once', () => {
    fc.assert(
      fc.property(lives, fc.nat(), ({ history }, at) => {
        const cut = history.length === 0 ? 0 : at % history.length
        expect(history.slice(cut).reduce(evolve, stateOf(history.slice(0, cut)))).toEqual(stateOf(history))
      }),
    )
  })
})
