import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { RetryOptions } from './check-declaration.ts'
import type { JsonOf, NotJson } from './json-types.ts'
import type { OnLeaseLost, TaskContext, TaskDeclaration, TaskFactory } from './task-factory.ts'
import type { TypedTask } from './typed-task.ts'

/** A schema of any Standard Schema library: zod, valibot, arktype and others. */
export type TaskSchema = StandardSchemaV1

/** Turns a payload of one version into a payload of the next version. It may be async. */
// oxlint-disable-next-line typescript/no-explicit-any -- only the step itself knows the type of an old payload
export type UpcastStep = (old: any) => unknown

/** A kind of task without its body. */
export interface DeclareOptions<
  Payload extends TaskSchema | undefined = TaskSchema | undefined,
  Result extends TaskSchema | undefined = TaskSchema | undefined,
  Progress extends TaskSchema | undefined = TaskSchema | undefined,
> {
  /** The name of the kind of task, 1 to 200 characters; part of every history, so it never changes. */
  readonly type: string
  /** The version of the payloads: 1, 2, … Default 1. Raise it when older payloads no longer fit the schema. */
  readonly version?: number | undefined
  /**
   * Checked on submit, and again before the run. The submitted value, the schema's input, is stored; the body receives the schema's output.
   * Without a schema the task takes no payload. `undefined` is stored as `null`.
   */
  readonly payload?: Payload | undefined
  /** Checked when the body returns. The body returns the schema's input; the schema's output is the stored result. */
  readonly result?: Result | undefined
  /** Checked on each report, unless the schema is async. The reported value, the schema's input, is stored. */
  readonly progress?: Progress | undefined
  /** For each older version that may still be stored, the step to the next version. */
  readonly upcast?: Readonly<Record<number, UpcastStep>> | undefined
  /** When the task runs again. Default: a failure is final, three crashes of its node are survived. */
  readonly retry?: RetryOptions | undefined
  /** How long one attempt may take, in milliseconds, at most 365 days. Default: no limit. */
  readonly timeoutMs?: number | undefined
  /** The queue that carries its tasks. Default: `default`. */
  readonly queue?: string | undefined
}

/**
 * `Types` if there is a schema, otherwise `Otherwise`. Without `strictNullChecks`, `undefined` extends every type, so an absent schema is
 * known by a `validate` of which nothing can be inferred.
 */
type IfSchema<Schema, Types, Otherwise> = Schema extends { readonly '~standard': { readonly validate: infer Validate } }
  ? unknown extends Validate
    ? Otherwise
    : Types
  : Otherwise

/** What a schema takes; `Otherwise` without a schema. */
export type InputOf<Schema, Otherwise> = Schema extends unknown
  ? IfSchema<Schema, StandardSchemaV1.InferInput<Schema & TaskSchema>, Otherwise>
  : never

/** What a schema makes of its input; `Otherwise` without a schema. */
export type OutputOf<Schema, Otherwise> = Schema extends unknown
  ? IfSchema<Schema, StandardSchemaV1.InferOutput<Schema & TaskSchema>, Otherwise>
  : never

/** What a body may return: the input of the result's schema, or anything without a schema; or a promise of it. */
export type ReturnOf<Result> = InputOf<Result, unknown> | Promise<InputOf<Result, unknown>>

/**
 * What else the returned value has to fit, so that the stored result is JSON: without a schema the value itself, with a schema the schema's
 * output.
 */
export type JsonReturn<Result, Returned> = IfSchema<
  Result,
  [OutputOf<Result, unknown>] extends [JsonOf<OutputOf<Result, unknown>>] ? unknown : NotJson<'the output of the result schema'>,
  Returned extends PromiseLike<infer Value> ? PromiseLike<JsonOf<Value>> : JsonOf<Returned>
>

/** What a body receives, by the schemas of its task. */
export type BodyContext<Payload, Progress> = IfSchema<
  Progress,
  TaskContext<OutputOf<Payload, undefined>, InputOf<Progress, unknown>>,
  FreeProgressContext<OutputOf<Payload, undefined>>
>

/** What a body without a progress schema receives: it may report everything that JSON can hold. */
export interface FreeProgressContext<Payload> extends Omit<TaskContext<Payload>, 'progress'> {
  /**
   * Reports progress. It is cheap: call it as often as you like. Only the latest report is kept.
   *
   * @throws `NOT_JSON` or `TOO_LARGE` if the value cannot be stored.
   */
  progress<Value>(value: Value & JsonOf<Value>): void
}

/** How a declared task runs. */
export interface ImplementOptions {
  /** What happens to the body when its node loses its lease. Default `abort`. */
  readonly onLeaseLost?: OnLeaseLost | undefined
}

/** A task, with its body. */
export interface DefineOptions<
  Payload extends TaskSchema | undefined,
  Result extends TaskSchema | undefined,
  Progress extends TaskSchema | undefined,
  Returned,
> extends DeclareOptions<Payload, Result, Progress> {
  /** What happens to the body when its node loses its lease. Default `abort`. */
  readonly onLeaseLost?: OnLeaseLost | undefined
  /** The body. The returned value is the result; a thrown value is the failure. The body has to react to its signal. */
  run(context: BodyContext<Payload, Progress>): Returned & JsonReturn<Result, Returned>
}

/** A task that every node can submit, and that nodes with its implementation can run. */
export interface DeclaredTask<
  Payload extends TaskSchema | undefined = TaskSchema | undefined,
  Result extends TaskSchema | undefined = TaskSchema | undefined,
  Progress extends TaskSchema | undefined = TaskSchema | undefined,
>
  extends TaskDeclaration, TypedTask<InputOf<Payload, undefined>, OutputOf<Result, unknown>, InputOf<Progress, unknown>> {
  /** @internal */
  readonly '~options': DeclareOptions<Payload, Result, Progress>
}

/** A task that can be submitted and run. */
export interface TaskDefinition<Payload = unknown, Result = unknown, Progress = unknown>
  extends TaskFactory, TypedTask<Payload, Result, Progress> {}

/** The definition from schemas and a body. */
export type DefinitionOf<Payload, Result, Progress, Returned> = TaskDefinition<
  InputOf<Payload, undefined>,
  OutputOf<Result, Awaited<Returned>>,
  InputOf<Progress, unknown>
>
