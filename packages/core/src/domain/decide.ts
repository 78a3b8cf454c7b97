import type { Crashes } from './crashes.ts'
import { areTooMany, withCrash } from './crashes.ts'
import { nextFence } from './fence.ts'
import { never } from './never.ts'
import { retryAfterCrash, retryAfterFailure } from './retry-policy.ts'
import type {
  CancelTask,
  CompleteTask,
  CreateTask,
  DeclareDead,
  FailTask,
  ReleaseTask,
  RequestCancel,
  StartTask,
  TaskCommand,
} from './task-command.ts'
import { isLaterProgress } from './task-details.ts'
import type { EventBase, TaskEvent, TaskProgress } from './task-event.ts'
import type { TaskState } from './task-state.ts'
import { isFinalStatus } from './task-status.ts'

/** Why a command took no effect. */
export type CommandRefusal =
  | 'alreadyExists'
  | 'unknownTask'
  | 'notDue'
  | 'alreadyStarted'
  | 'notStarted'
  | 'staleAttempt'
  | 'notRequested'
  | 'finished'

/** The command takes effect. */
export interface CommandAccepted {
  readonly type: 'accepted'
  /** The events of the command; empty if it has taken effect before. */
  readonly events: readonly TaskEvent[]
}

/** The command takes no effect. */
export interface CommandRefused {
  readonly type: 'refused'
  readonly reason: CommandRefusal
}

/** The outcome of a command. */
export type CommandDecision = CommandAccepted | CommandRefused

/**
 * Decides which events a command causes in a state. Pure and total: time, ids and random numbers come with the command, and nothing is
 * thrown. docs/explanation/life-of-a-task.md has the decisions as a table.
 */
export const decide = (command: TaskCommand, state: TaskState): CommandDecision => {
  if (command.type === 'CreateTask') return state.status === 'none' ? accept(created(command)) : refuse('alreadyExists')
  if (state.status === 'none') return refuse('unknownTask')
  if (isFinalStatus(state.status)) return refuse('finished')
  switch (command.type) {
    case 'StartTask':
      return decideStart(command, state)
    case 'RequestCancel':
      return decideRequestCancel(command, state)
    case 'CompleteTask':
    case 'FailTask':
    case 'CancelTask':
    case 'ReleaseTask':
    case 'DeclareDead':
      return decideSettlement(command, state)
    default:
      return never(command)
  }
}

const created = (command: CreateTask): TaskEvent => {
  const { type: _type, taskId, at, node, eventIds, ...data } = command
  return { type: 'TaskCreated', taskId, version: 1, eventId: eventIds[0], at, node, ...data }
}

const decideStart = (command: StartTask, state: TaskState): CommandDecision => {
  if (state.status !== 'waiting') return refuse('alreadyStarted')
  const { dueVersion, dueBy = command.at } = command
  if (state.dueAt > dueBy && dueVersion !== state.version) return refuse('notDue')
  const fence = nextFence(state.fence, command.fence ?? command.at)
  return accept({ type: 'TaskStarted', ...first(command, state), attempt: state.attempt + 1, fence })
}

const decideRequestCancel = (command: RequestCancel, state: TaskState): CommandDecision => {
  if (state.status === 'cancelRequested') return accept()
  const { by, reason } = command
  const requested: TaskEvent = {
    type: 'TaskCancelRequested',
    ...first(command, state),
    by,
    ...(reason === undefined ? {} : { reason }),
  }
  // No node runs a waiting task, so no node could react to the request: the task is cancelled in the same append.
  return state.status === 'waiting' ? accept(requested, { type: 'TaskCancelled', ...second(command, state) }) : accept(requested)
}

type Settlement = CompleteTask | FailTask | CancelTask | ReleaseTask | DeclareDead

/** Every command that ends an attempt: only the current attempt can be ended. */
const decideSettlement = (command: Settlement, state: TaskState): CommandDecision => {
  if (state.status === 'waiting') return refuse(command.type === 'CancelTask' ? 'notRequested' : 'notStarted')
  if (command.attempt !== state.attempt) return refuse('staleAttempt')
  const cancelling = state.status === 'cancelRequested'
  const { attempt } = command
  switch (command.type) {
    case 'CompleteTask': {
      const { result, progress } = command
      return accept({ type: 'TaskCompleted', ...first(command, state), attempt, ...given({ result, progress }) })
    }
    case 'FailTask': {
      const { error, progress, retryable, random } = command
      const again = retryable && !cancelling
      const retryAt = again ? retryAfterFailure(state.retry, state.failures + 1, command.at, random) : undefined
      return accept({ type: 'TaskFailed', ...first(command, state), attempt, error, ...given({ progress, retryAt }) })
    }
    case 'CancelTask': {
      if (!cancelling) return refuse('notRequested')
      const { abandoned, error, progress } = command
      return accept({ type: 'TaskCancelled', ...first(command, state), attempt, ...given({ abandoned, error, progress }) })
    }
    case 'ReleaseTask': {
      if (cancelling) return accept({ type: 'TaskCancelled', ...first(command, state), attempt })
      const { reason, progress, node } = command
      const released = { ...first(command, state), attempt, ...given({ reason, progress }) }
      // A body that blocks the event loop of its node loses the lease again and again.
      return reason !== undefined && areTooMany(crashesAfter(state, progress), state.retry.maxCrashes)
        ? accept({ type: 'TaskDied', ...released, diedOn: node })
        : accept({ type: 'TaskReleased', ...released })
    }
    case 'DeclareDead': {
      const { diedOn, random, at, progress } = command
      // The cancel request outlives the node: the death is recorded, and the task is cancelled without another run.
      const retryAt = cancelling ? at : retryAfterCrash(state.retry, crashesAfter(state, progress), at, random)
      const died: TaskEvent = { type: 'TaskDied', ...first(command, state), attempt, diedOn, ...given({ progress, retryAt }) }
      return cancelling ? accept(died, { type: 'TaskCancelled', ...second(command, state), attempt }) : accept(died)
    }
    default:
      return never(command)
  }
}

/** The crashes of the task if the attempt that runs crashed now, after this report. */
const crashesAfter = ({ crashes, progress: known }: TaskState, latest: TaskProgress | undefined): Crashes =>
  withCrash(crashes, (latest !== undefined && isLaterProgress(latest, known) ? latest : known)?.value)

const first = (command: TaskCommand, state: TaskState): EventBase => base(command, state, 1)

const second = (command: TaskCommand, state: TaskState): EventBase => base(command, state, 2)

/** The times of a history do not run backwards, whichever node has the slower clock. Delays count from the time of the command all the same. */
const base = ({ taskId, at, node, eventIds }: TaskCommand, { version, updatedAt }: TaskState, nth: 1 | 2): EventBase => ({
  taskId,
  version: version + nth,
  eventId: eventIds[nth - 1] ?? '',
  at: Math.max(at, updatedAt),
  node,
})

/** The properties that have a value: an event never contains `undefined`. */
const given = <T extends object>(properties: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as never

const accept = (...events: readonly TaskEvent[]): CommandAccepted => ({ type: 'accepted', events })

const refuse = (reason: CommandRefusal): CommandRefused => ({ type: 'refused', reason })
