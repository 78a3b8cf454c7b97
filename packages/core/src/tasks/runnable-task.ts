import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { OnLeaseLost, RunnableTask, TaskContext } from './task-factory.ts'
import { defaultMaxProgressBytes, toJson } from './to-json.ts'
import { validate, validateAtOnce } from './validate.ts'

/** A body with the schemas of its result and progress. */
export interface TaskBody {
  readonly type: string
  readonly onLeaseLost: OnLeaseLost
  readonly result: StandardSchemaV1 | undefined
  readonly progress: StandardSchemaV1 | undefined
  readonly run: (context: TaskContext) => unknown
}

/** A body with its payload. */
export const runnableTask = (body: TaskBody, payload: unknown): RunnableTask => ({
  payload,
  onLeaseLost: body.onLeaseLost,
  async run(context) {
    const result = await body.run({ ...(await checkingProgress(body, context)), payload })
    if (body.result === undefined) return result
    return validate(body.result, result, { code: 'INVALID_RESULT', what: `result of task type "${body.type}"` })
  },
})

type Surroundings = Omit<TaskContext, 'payload'>

const checkingProgress = async ({ type, progress: schema }: TaskBody, context: Surroundings): Promise<Surroundings> => {
  if (schema === undefined) return context
  const subject = { code: 'INVALID_PROGRESS', what: `progress of task type "${type}"` } as const
  const { lastProgress, logger } = context
  const isReadable =
    lastProgress === undefined ||
    (await validate(schema, lastProgress, subject).then(
      () => true,
      (error: unknown) => {
        logger.warn({ err: error }, 'left out the last progress of the attempt before: its schema refuses it')
        return false
      },
    ))
  return {
    ...context,
    lastProgress: isReadable ? lastProgress : undefined,
    progress(value) {
      // A copy first: only the copy is bounded, and the schema sees what is stored.
      const copy = toJson(value, 'progress', defaultMaxProgressBytes)
      validateAtOnce(schema, copy, subject)
      context.progress(copy)
    },
  }
}
