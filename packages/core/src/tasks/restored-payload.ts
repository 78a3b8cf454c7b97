import type { EncodedTask } from '../domain/task-event.ts'
import { UnknownTaskVersion } from './stored-payload.ts'
import type { TaskDeclaration } from './task-factory.ts'
import { isTaskFactory } from './task-factory.ts'

/**
 * The payload of a stored task, in the form that `submit` takes. Of a hand-written factory without `restore` it is what `decode` shows, or
 * else the stored payload.
 *
 * @throws `UNKNOWN_TASK_VERSION` if the declaration does not know the version; `INVALID_PAYLOAD` if its schema refuses the payload.
 */
export const restoredPayload = async (task: TaskDeclaration, { version, payload }: EncodedTask): Promise<unknown> => {
  if (task.restore !== undefined) return task.restore(version, payload)
  if (isTaskFactory(task)) {
    const runnable = await task.decode(version, payload)
    return 'payload' in runnable ? runnable.payload : payload
  }
  if (version !== task.version) throw new UnknownTaskVersion(task.type, version, [task.version])
  return payload
}
