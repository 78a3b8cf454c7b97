import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonValue } from '../domain/json.ts'
import type { ChecksOf, OptionHints } from '../ports/shared/check-options.ts'
import { anyValue, checkOptions } from '../ports/shared/check-options.ts'
import { checkOneOf, hasMethods, shown, wrongOption } from '../ports/shared/checks.ts'
import { misuse } from '../ports/shared/errors.ts'
import { checkDeclaration, retryPolicyOf } from './check-declaration.ts'
import { runnableTask } from './runnable-task.ts'
import type { IfJson } from './json-types.ts'
import { decodePayload, encodePayload, restorePayload } from './stored-payload.ts'
import type { OnLeaseLost, TaskContext } from './task-factory.ts'
import type {
  BodyContext,
  DeclaredTask,
  DeclareOptions,
  DefineOptions,
  DefinitionOf,
  ImplementOptions,
  JsonReturn,
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
): DefinitionOf<Payload, Result, Progress, Returned> => {
  const { run, onLeaseLost } = checkOptions('defineTask', options, defineChecks, hints)
  return implemented(declaredTask<Payload, Result, Progress>(options), run, onLeaseLost)
}

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
  checkOptions('declareTask', options, declareChecks, { ...hints, run: 'a declaration has no body: use defineTask, or implementTask' })
  return declaredTask(options)
}

const declaredTask = <
  Payload extends TaskSchema | undefined,
  Result extends TaskSchema | undefined,
  Progress extends TaskSchema | undefined,
>(
  {
    type,
    version = 1,
    queue = 'default',
    timeoutMs,
    payload,
    result,
    progress,
    ...options
  }: DeclareOptions<Payload, Result, Progress> = {} as never,
): DeclaredTask<Payload, Result, Progress> => {
  const retry = retryPolicyOf(`the task type ${shown(type)}: retry`, options.retry)
  const task = checkDeclaration({ type, version, queue, retry, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  checkSchemas({ type, payload, result, progress })
  checkUpcast(type, version, options.upcast)
  const upcast = { ...options.upcast }
  return Object.freeze({
    ...task,
    encode: (value: unknown, limits?: { readonly maxBytes: number }): Promise<JsonValue> => encodePayload(type, payload, value, limits),
    restore: (stored: number, value: JsonValue): Promise<unknown> =>
      restorePayload({ type, version, schema: payload, upcast }, stored, value),
    '~options': Object.freeze({ type, payload, result, progress, upcast }),
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
  run: (context: BodyContext<Payload, Progress>) => Returned & JsonReturn<Result, Returned>,
  how: ImplementOptions = {},
): DefinitionOf<Payload, Result, Progress, Returned> => {
  if (!hasMethods(declared, ['encode']) || !isObject(declared['~options']))
    throw wrongOption('the task to implement', declared, 'what declareTask returns')
  const { onLeaseLost } = checkOptions('implementTask', how, { onLeaseLost: anyValue } satisfies ChecksOf<ImplementOptions>)
  return implemented(declared, run, onLeaseLost)
}

const implemented = <
  Payload extends TaskSchema | undefined,
  Result extends TaskSchema | undefined,
  Progress extends TaskSchema | undefined,
  Returned,
>(
  declared: DeclaredTask<Payload, Result, Progress>,
  run: unknown,
  whenLeaseLost: unknown = 'abort',
): DefinitionOf<Payload, Result, Progress, Returned> => {
  const { '~options': options, '~types': _types, ...task } = declared
  const { type, version } = task
  if (typeof run !== 'function') throw wrongOption(`the task type "${type}": run`, run, 'a function')
  const onLeaseLost = checkOneOf<OnLeaseLost>(`the task type "${type}": onLeaseLost`, whenLeaseLost, ['abort', 'finish'])
  const form = { type, version, schema: options.payload, upcast: options.upcast ?? {} }
  const body = { type, onLeaseLost, result: options.result, progress: options.progress, run: run as (context: TaskContext) => unknown }
  return Object.freeze({
    ...task,
    decode: async (stored: number, payload: JsonValue) => runnableTask(body, await decodePayload(form, stored, payload)),
  })
}

/** The values are checked with the declaration, so that messages name the task. */
const declareChecks = {
  type: anyValue,
  version: anyValue,
  payload: anyValue,
  result: anyValue,
  progress: anyValue,
  upcast: anyValue,
  retry: anyValue,
  timeoutMs: anyValue,
  queue: anyValue,
} satisfies ChecksOf<DeclareOptions>

const defineChecks = { ...declareChecks, run: anyValue, onLeaseLost: anyValue } satisfies ChecksOf<
  DefineOptions<undefined, undefined, undefined, unknown>
>

const hints: OptionHints = {
  attempts: 'give retry: { maxAttempts }',
  maxAttempts: 'give retry: { maxAttempts }',
  maxCrashes: 'give retry: { maxCrashes }',
  backoff: 'give retry: { backoff }',
  priority: 'priorities are not supported: give urgent tasks a queue of their own',
  concurrency: 'give slots to the worker of each node (worker of createTaskManager)',
  slots: 'give slots to the worker of each node (worker of createTaskManager)',
}

/** A schema that accepts every value: it gives a type and checks nothing. Values of the type have to be JSON. */
export const unchecked = <T>(): StandardSchemaV1<IfJson<T>> => ({
  '~standard': { version: 1, vendor: 'taskledger', validate: (value) => ({ value: value as IfJson<T> }) },
})

const checkSchemas = ({ type, payload, result, progress }: DeclareOptions): void => {
  for (const [name, schema] of Object.entries({ payload, result, progress }))
    if (schema !== undefined && typeof (schema as Partial<TaskSchema> | null)?.['~standard']?.validate !== 'function')
      throw wrongOption(`the task type "${type}": ${name}`, schema, 'a Standard Schema (of zod, valibot, arktype, …)')
}

const checkUpcast = (type: string, version: number, upcast: DeclareOptions['upcast'] = {}): void => {
  if (!isObject(upcast)) throw wrongOption(`the task type "${type}": upcast`, upcast, 'an object with a step for each older version')
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

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
