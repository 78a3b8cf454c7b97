import { v5 } from 'uuid'
import type { CreateTask } from '../../domain/task-command.ts'

/** Namespace of the ids of first events (RFC 9562, version 5). */
const firstEvents = '0c7a8d3e-5b1f-4f59-9c53-6f0d5c1f7a2b'

/** Everything that a first event says, apart from its id. */
export type FirstEvent = Omit<CreateTask, 'type' | 'eventIds'>

/**
 * The id of a task's first event: a digest of everything else that the event says. A message carries the event, so a worker can check the
 * id without a read, and the store compares the id when it writes the claim: so a worker starts nothing that the store does not say.
 */
export const firstEventIdOf = (event: FirstEvent): string => v5(new TextEncoder().encode(textOf(event)), firstEvents)

/** Every field, in a fixed order: a field that is left out could be forged. */
const textOf = ({ taskId, at, node, task, queue, retry, timeoutMs, notBefore, labels, idempotencyKey, retryOf }: FirstEvent): string => {
  const { maxAttempts, maxCrashes, backoff } = retry
  return JSON.stringify([
    [taskId, at, node, queue, labels],
    [task.type, task.version, task.payload],
    [maxAttempts, maxCrashes, backoff.initialMs, backoff.factor, backoff.maxMs, backoff.jitter],
    [timeoutMs, notBefore, idempotencyKey, retryOf],
  ])
}
