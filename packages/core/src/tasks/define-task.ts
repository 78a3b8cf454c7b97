import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonValue } from '../domain/json.ts'
import { checkOneOf, wrongOption } from '../ports/shared/checks.ts'
import { misuse } from '../ports/shared/errors.ts'
import { checkDeclaration, retryPolicyOf } from './check-declaration.ts'
import { runnableTask } from './runnable-task.ts'
import { decodePayload, encodePayload, restorePayload } from './stored-payload.ts'
import type { TaskContext } from './task-factory.ts'
import type {
  BodyContext,
  DeclaredTask,
  DeclareOptions,
  DefineOptions,
  DefinitionOf,
  ImplementOptions,
  ReturnOf,
  TaskSchema,
} from './task-options.ts'

/**
 * Defines a kind of task: its name, its schemas and its body.
 *
 * @throws `MISUSE` if an option is wrong.
 */
export const defineTask = <
  Payload extends TaskSchema | undefined = undefined,
  Result extends TaskSchema | undefined = undefined,
  Progress extends TaskSchema | undefined = undefined,
  Returned extends ReturnOf<Result> = ReturnOf<Result>,
>(
  options: DefineOptions<Payload, Result, Progress, Returned>,
): DefinitionOf<Payload, Result, Progress, Returned> => implementTask(declareTask<Payload, Result, Progress>(options), options.run, options)

/**
 * Declares a kind of task whose body is elsewhere. It can be submitted and awaited, but not run.
 *
 * @throws `MISUSE` if an option is wrong.
 */
export const declareTask = <
  Payload extends TaskSchema | undefined = undefined,
  Result extends TaskSchema | undefined = undefined,
  Progress extends TaskSchema | undefined = undefined,
>(
  options: DeclareOptions<Payload, Result, Progress>,
): DeclaredTask<Payload, Result, Progress> => {
  const { type, version = 1, queue = 'default', timeoutMs, payload } = options
  const task = { type, version, queue, retry: retryPolicyOf(options.retry), ...(timeoutMs === undefined ? {} : { timeoutMs }) }
  checkDeclaration(task)
  checkSchemas(options)
  checkUpcast(type, version, options.upcast)
  return Object.freeze({
    ...task,
    encode: (value: unknown): Promise<JsonValue> => encodePayload(type, payload, value),
    restore: (stored: number, value: JsonValue): Promise<unknown> =>
      restorePayload({ type, version, schema: payload, upcast: options.upcast ?? {} }, stored, value),
    '~options': options,
  })
}

/**
 * Gives a declared task its body.
 *
 * @throws `MISUSE` if the body is not a function.
 */
export const implementTask = <
  Payload extends TaskSchema | undefined,
  Result extends TaskSchema | undefined,
  Progress extends TaskSchema | undefined,
  Returned extends ReturnOf<Result>,
>(
  declared: DeclaredTask<Payload, Result, Progress>,
  run: (context: BodyContext<Payload, Progress>) => Returned,
  { onLeaseLost = 'abort' }: ImplementOptions = {},
): DefinitionOf<Payload, Result, Progress, Returned> => {
  const { '~options': options, '~types': _types, ...task } = declared
  const { type, version } = task
  if (typeof run !== 'function') throw wrongOption(`the task type "${type}": run`, run, 'a function')
  checkOneOf(`the task type "${type}": onLeaseLost`, onLeaseLost, ['abort', 'finish'])
  const form = { type, version, schema: options.payload, upcast: options.upcast ?? {} }
  const body = { type, onLeaseLost, result: options.result, progress: options.progress, run: run as (context: TaskContext) => unknown }
  return Object.freeze({
    ...task,
    decode: async (stored: number, payload: JsonValue) => runnableTask(body, await decodePayload(form, stored, payload)),
  })
}

/** A schema that accepts every value: it gives a type and checks nothing. */
export const unchecked = <T>(): StandardSchemaV1<T> => ({
  '~standard': { version: 1, vendor: 'taskledger', validate: (value) => ({ value: value as T }) },
})

const checkSchemas = ({ type, payload, result, progress }: DeclareOptions): void => {
  for (const [name, schema] of Object.entries({ payload, result, progress }))
    if (schema !== undefined && typeof (schema as Partial<TaskSchema> | null)?.['~standard']?.validate !== 'function')
      throw wrongOption(`the task type "${type}": ${name}`, schema, 'a Standard Schema (of zod, valibot, arktype, …)')
}

const checkUpcast = (type: string, version: number, upcast: DeclareOptions['upcast'] = {}): void => {
  for (const [from, step] of Object.entries(upcast)) {
    if (!/^[1-9]\d*$/.test(from) || Number(from) >= version)
      throw misuse(
        version === 1
          ? `the task type "${type}": upcast.${from} is given, but version 1 is the first: leave upcast out`
          : `the task type "${type}": upcast.${from} is not a step to a known version: give steps from 1 to ${version - 1}`,
      )
    if (typeof step !== 'function') throw wrongOption(`the task type "${type}": upcast.${from}`, step, 'a function')
  }
  // The first versions may be left out when none of them is stored any more, but the chain may not have a gap.
  const first = Math.min(...Object.keys(upcast).map(Number))
  for (let from = first; from < version; from++)
    if (!(from in upcast))
      throw misuse(`the task type "${type}": upcast.${from} is missing: give it, so that version ${first} can become version ${version}`)
}
