import type { TaskError, TaskEvent } from '../../domain/task-event.ts'
import type { Outcome } from '../commands/event-sourcing.ts'
import type { NodeContext } from '../node/context.ts'
import type { TaskRun } from './task-run.ts'

/**
 * Logs how an attempt ended on this node, unless it completed or was cancelled as requested. The level says who has to act: nobody
 * (`info`), nobody as long as it is rare (`warn`), a person (`error`).
 */
export const logEnd = ({ logger }: NodeContext, run: Pick<TaskRun, 'taskId' | 'attempt' | 'aborted'>, outcome: Outcome): void => {
  const { events, aggregate } = outcome
  const { taskId, attempt, aborted } = run
  const fields = { taskId, type: aggregate.details?.type, attempt }
  for (const event of events)
    switch (event.type) {
      case 'TaskFailed':
        if (event.retryAt === undefined) logger.error({ ...fields, err: errorFrom(event.error) }, 'failed a task: it does not run again')
        else logger.warn({ ...fields, retryAt: event.retryAt, err: errorFrom(event.error) }, 'failed an attempt: the task runs again')
        break
      case 'TaskCancelled':
        logCancelled(logger, fields, event)
        break
      case 'TaskReleased':
        if (event.reason === undefined) logger.info({ ...fields, why: aborted?.code }, 'released a task: another node may run it')
        else
          logger.warn(
            { ...fields, crashes: aggregate.details?.crashes },
            'released a task: this node stood still and lost its lease, which counts as a crash',
          )
        break
      case 'TaskDied':
        logger.error(
          { ...fields, crashes: aggregate.details?.crashes },
          'ended a task as died: its node stood still and lost its lease too often',
        )
        break
      default:
    }
}

const logCancelled = (logger: NodeContext['logger'], fields: object, { abandoned, error }: TaskEvent & { type: 'TaskCancelled' }): void => {
  if (abandoned === true) logger.warn(fields, 'abandoned a body that ignored its cancellation: it may still run')
  else if (error !== undefined) logger.info({ ...fields, err: errorFrom(error) }, 'cancelled a task whose body threw an error of its own')
}

/** A logger expects an `Error`. The thrown value itself may be anything, also something that no logger can print. */
export const errorFrom = ({ name, message, stack, code }: TaskError): Error => {
  const error = new Error(message)
  const hidden = { configurable: true, writable: true, enumerable: false }
  Object.defineProperties(error, { name: { value: name, ...hidden }, stack: { value: stack ?? `${name}: ${message}`, ...hidden } })
  return code === undefined ? error : Object.assign(error, { code })
}
