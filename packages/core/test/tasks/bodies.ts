import type { JsonValue } from '../../src/domain/json.ts'
import type { TaskId } from '../../src/domain/task-id.ts'
import { silentLogger } from '../../src/ports/index.ts'
import type { TaskContext, TaskFactory } from '../../src/tasks/task-factory.ts'

type Surroundings = Omit<TaskContext, 'payload'>

/** What a body is given beside its payload. */
export const surroundings = (more: Partial<Surroundings> = {}): Surroundings => ({
  taskId: '018cc251-f400-7000-8000-000000000000' as TaskId,
  attempt: 1,
  fence: 1,
  signal: new AbortController().signal,
  progress() {},
  lastProgress: undefined,
  labels: [],
  logger: silentLogger,
  ...more,
})

/** Runs what was stored. */
export const runStored = async (task: TaskFactory, version: number, stored: JsonValue, more?: Partial<Surroundings>): Promise<unknown> =>
  (await task.decode(version, stored)).run(surroundings(more))
