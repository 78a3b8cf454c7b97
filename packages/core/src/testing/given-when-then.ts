import type { CommandDecision, CommandRefusal } from '../domain/decide.ts'
import { decide } from '../domain/decide.ts'
import { stateOf } from '../domain/evolve.ts'
import { nextFence } from '../domain/fence.ts'
import type { CommandBase, TaskCommand } from '../domain/task-command.ts'
import type { EventBase, TaskEvent } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { TaskState } from '../domain/task-state.ts'
import { difference, shown } from './difference.ts'

/** A member of a union; the properties that all members have may be left out. */
export type Draft<Member, Base> = Member extends Base ? Omit<Member, keyof Base> & Partial<Base> : never

/** An event with the properties that matter; the others are filled in. */
export type EventDraft = Draft<TaskEvent, EventBase>

/** A command with the properties that matter; the others are filled in. */
export type CommandDraft = Draft<TaskCommand, CommandBase>

/** The history of a task. */
export interface GivenHistory {
  /** Gives a command. Default: a minute after the last event, on `node-b`. */
  when(command: CommandDraft): WhenCommand
}

/** A command that was given. */
export interface WhenCommand {
  /**
   * Checks the outcome: exactly these events, or this refusal. Task, version, event id, time, node and fencing token may be left out of the
   * events: they have to follow from the history and the command.
   *
   * @throws Error with the first difference.
   */
  then(expected: readonly EventDraft[] | CommandRefusal): void
}

const sampleTaskId = '018cc251-f400-7000-8000-000000000000' as TaskId

/** The default time of the first event: 2024-01-01T00:00:00Z. */
const firstAt = 1_704_067_200_000

const minute = 60_000

/**
 * States a rule of the domain: given events, when a command, then events or a refusal. Default: the given events happen a minute apart, on
 * `node-a`.
 */
export const given = (drafts: readonly EventDraft[]): GivenHistory => {
  const history = completeEvents(drafts)
  return {
    when(draft) {
      const command = completeCommand(draft, history.at(-1))
      const state = stateOf(history)
      const decision = decide(command, state)
      return {
        // The name belongs to the form. It takes no callbacks: an `await` by mistake gets an error.
        // oxlint-disable-next-line unicorn/no-thenable
        then(expected) {
          if (typeof expected === 'function') throw new TypeError('then(expected) is the end of a rule and not a promise: remove the await')
          const outcome = decision.type === 'accepted' ? decision.events : decision.reason
          const wanted = typeof expected === 'string' ? expected : expectedEvents(expected, command, state)
          const found = difference(outcome, wanted)
          if (found !== undefined) throw mismatch(history, command, decision, wanted, found)
        },
      }
    },
  }
}

/** A history from drafts: missing versions, ids and times are filled in. */
export const completeEvents = (drafts: readonly EventDraft[]): readonly TaskEvent[] =>
  drafts.map((draft, index) => {
    const base: EventBase = {
      taskId: sampleTaskId,
      version: index + 1,
      eventId: `event-${index + 1}`,
      at: firstAt + index * minute,
      node: 'node-a',
    }
    return { ...base, ...draft }
  })

const completeCommand = (draft: CommandDraft, last: TaskEvent | undefined): TaskCommand => {
  const at = last === undefined ? firstAt : last.at + minute
  const base: CommandBase = { taskId: last?.taskId ?? sampleTaskId, at, node: 'node-b', eventIds: ['new-event-1', 'new-event-2'] }
  return { ...base, ...draft }
}

const expectedEvents = (drafts: readonly EventDraft[], command: TaskCommand, { version, fence }: TaskState): readonly TaskEvent[] =>
  drafts.map((draft, index) => {
    const { taskId, at, node, eventIds } = command
    const base: EventBase = { taskId, version: version + index + 1, eventId: eventIds[index] ?? 'no id', at, node }
    return { ...base, ...(draft.type === 'TaskStarted' ? { fence: nextFence(fence, at) } : {}), ...draft }
  })

const mismatch = (
  history: readonly TaskEvent[],
  command: TaskCommand,
  decision: CommandDecision,
  expected: readonly TaskEvent[] | CommandRefusal,
  found: string,
): Error => {
  const events = history.length === 0 ? 'nothing' : history.map(({ type }) => type).join(', ')
  const actual = decision.type === 'accepted' ? decision.events : decision.reason
  const lines = [`given ${events}, when ${command.type}: ${found}`, `expected: ${shown(expected, 2)}`, `actual: ${shown(actual, 2)}`]
  // Test runners show a difference if the error has these two properties.
  return Object.assign(new Error(lines.join('\n')), { actual, expected })
}
