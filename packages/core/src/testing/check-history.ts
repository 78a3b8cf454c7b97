import { fenceBefore, nextFence } from '../domain/fence.ts'
import type { TaskEvent } from '../domain/task-event.ts'
import { isFinalEvent } from '../domain/task-event.ts'
import type { ChecksOf } from '../ports/shared/check-options.ts'
import { checkOptions } from '../ports/shared/check-options.ts'
import { checkMs } from '../ports/shared/checks.ts'

/** How strict the check of a history is. */
export interface CheckHistoryOptions {
  /**
   * By how many milliseconds an event may be earlier than the event before it. Default 1,000: clocks of nodes differ, and a repeated command
   * keeps its first time.
   */
  readonly clockSkewMs?: number | undefined
}

const optionChecks = { clockSkewMs: checkMs } satisfies ChecksOf<CheckHistoryOptions>

/**
 * Checks a history against the rules of the domain. Returns each violation as a sentence; an empty list if the history is correct. Every prefix
 * of a correct history is correct.
 */
export const checkHistory = (events: readonly TaskEvent[], options: CheckHistoryOptions = {}): readonly string[] => {
  const checked = checkOptions('checkHistory', options, optionChecks)
  return rules.flatMap((rule) => [...rule(events, checked)])
}

type HistoryRule = (events: readonly TaskEvent[], options: CheckHistoryOptions) => Iterable<string>

/** Versions are 1, 2, 3, … */
function* versionsAreContiguous(events: readonly TaskEvent[]): Iterable<string> {
  for (const [index, event] of events.entries())
    if (event.version !== index + 1) yield `${nameOf(event)} is at position ${index + 1}: versions are 1, 2, 3, …`
}

function* allAreOfOneTask(events: readonly TaskEvent[]): Iterable<string> {
  const taskId = events[0]?.taskId
  for (const event of events)
    if (event.taskId !== taskId) yield `${nameOf(event)} is of task ${event.taskId}, in the history of task ${taskId}`
}

function* eventIdsAreUnique(events: readonly TaskEvent[]): Iterable<string> {
  const seen = new Map<string, TaskEvent>()
  for (const event of events) {
    const twin = seen.get(event.eventId)
    if (twin === undefined) seen.set(event.eventId, event)
    else yield `${nameOf(event)} has the event id of ${nameOf(twin)}: event ids are unique`
  }
}

function* timesDoNotRunBackwards(events: readonly TaskEvent[], { clockSkewMs = 1_000 }: CheckHistoryOptions): Iterable<string> {
  let latest = -Infinity
  for (const event of events) {
    if (event.at < latest - clockSkewMs) yield `${nameOf(event)} happened ${latest - event.at} ms before an event that precedes it`
    latest = Math.max(latest, event.at)
  }
}

function* createdFirstAndOnce(events: readonly TaskEvent[]): Iterable<string> {
  for (const [index, event] of events.entries()) {
    if (index === 0 && event.type !== 'TaskCreated') yield `${nameOf(event)} comes first: TaskCreated has to`
    if (index > 0 && event.type === 'TaskCreated') yield `${nameOf(event)} comes later: only the first event is a TaskCreated`
  }
}

function* nothingAfterTheEnd(events: readonly TaskEvent[]): Iterable<string> {
  let end: TaskEvent | undefined
  for (const event of events) {
    if (end !== undefined) yield `${nameOf(event)} comes after ${nameOf(end)}, which was final`
    else if (isFinalEvent(event)) end = event
  }
}

/** Attempts are 1, 2, …; one runs at a time; only the running attempt can be settled, and only once. */
function* attemptsAreInOrder(events: readonly TaskEvent[]): Iterable<string> {
  let started = 0
  let running: number | undefined
  let died: number | undefined
  for (const event of events) {
    switch (event.type) {
      case 'TaskStarted':
        if (event.attempt !== started + 1) yield `${nameOf(event)} starts attempt ${event.attempt}: attempt ${started + 1} would be next`
        if (running !== undefined) yield `${nameOf(event)} starts attempt ${event.attempt} while attempt ${running} runs`
        started = event.attempt
        running = event.attempt
        died = undefined
        break
      case 'TaskCompleted':
      case 'TaskFailed':
      case 'TaskDied':
      case 'TaskReleased':
        if (event.attempt !== running) yield `${nameOf(event)} settles attempt ${event.attempt}, which does not run`
        died = event.type === 'TaskDied' ? event.attempt : undefined
        running = undefined
        break
      case 'TaskCancelled':
        // If the node died before it could cancel, the cancellation names the attempt that died.
        if (event.attempt !== running && (running !== undefined || event.attempt !== died))
          yield `${nameOf(event)} ends ${attemptOf(event.attempt)}, ${attemptOf(running)} runs`
        running = undefined
        break
      default:
    }
  }
}

/** The fencing token of each attempt is more than that of the attempt before. */
function* fencesGrow(events: readonly TaskEvent[]): Iterable<string> {
  let latest = 0
  for (const event of events) {
    if (event.type === 'TaskCreated') latest = fenceBefore(event.at)
    if (event.type !== 'TaskStarted') continue
    const fence = event.fence ?? nextFence(latest, event.at)
    if (fence <= latest) yield `${nameOf(event)} has the fencing token ${fence}: it has to be more than ${latest}`
    latest = fence
  }
}

/** A task is cancelled only on request, and does not run again after the request. */
function* cancelRequestsAreObeyed(events: readonly TaskEvent[]): Iterable<string> {
  let request: TaskEvent | undefined
  for (const event of events) {
    if (event.type === 'TaskCancelRequested') request ??= event
    if (event.type === 'TaskCancelled' && request === undefined) yield `${nameOf(event)} comes without a request to cancel`
    if (event.type === 'TaskStarted' && request !== undefined) yield `${nameOf(event)} starts the task again after ${nameOf(request)}`
  }
}

const rules: readonly HistoryRule[] = [
  versionsAreContiguous,
  allAreOfOneTask,
  createdFirstAndOnce,
  nothingAfterTheEnd,
  attemptsAreInOrder,
  fencesGrow,
  cancelRequestsAreObeyed,
  timesDoNotRunBackwards,
  eventIdsAreUnique,
]

const nameOf = (event: TaskEvent): string => `${event.type} (version ${event.version})`

const attemptOf = (attempt: number | undefined): string => (attempt === undefined ? 'no attempt' : `attempt ${attempt}`)
