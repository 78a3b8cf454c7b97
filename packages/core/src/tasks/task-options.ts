import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { RetryOptions } from './check-declaration.ts'
import type { OnLeaseLost, TaskContext, TaskDeclaration, TaskFactory } from './task-factory.ts'
import type { TypedTask } from './typed-task.ts'

/** A schema of any library that speaks Standard Schema: zod, valibot, arktype and others. */
export type TaskSchema = StandardSchemaV1

/** Turns a payload of one version into one of the next. It may be async. */
// oxlint-disable-next-line typescript/no-explicit-any -- the form of an old payload is known to nobody but the step itself
export type UpcastStep = (old: any) => unknown

/** What a task is, but for its body. */
export interface DeclareOptions<
  Payload extends TaskSchema | undefined = TaskSchema | undefined,
  Result extends TaskSchema | undefined = TaskSchema | undefined,
  Progress extends TaskSchema | undefined = TaskSchema | undefined,
> {
  /** The name of the kind of task, 1 to 200 characters; part of every history, so it never changes. */
  readonly type: string
  /** The version of the payload's form: 1, 2, … Default 1. Raise it when older payloads would no longer fit the schema. */
  readonly version?: number | undefined
  /**
   * Checked on submit, and again before the run. What is submitted, the schema's input, is stored; the body is given the
   * schema's output. Without a schema the task takes no payload. `undefined` is stored as `null`.
   */
  readonly payload?: Payload | undefined
  /** Checked when the body returns: the body returns the schema's input, its output is stored and awaited. */
  readonly result?: Result | undefined
  /** Checked on each report, unless the schema is async; what is reported, the schema's input, is kept. */
  readonly progress?: Progress | undefined
  /** For each older version that may still be stored, the step to the version after it. */
  readonly upcast?: Readonly<Record<number, UpcastStep>> | undefined
  /** When the task runs again. Default: a failure is final, three crashes of its node are survived. */
  readonly retry?: RetryOptions | undefined
  /** How long one attempt may take, in milliseconds, at most 365 days. Default: as long as it likes. */
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

/** What a body is given, by the schemas of its task. */
export type BodyContext<Payload, Progress> = TaskContext<OutputOf<Payload, undefined>, InputOf<Progress, unknown>>

/** How a declared task is run. */
export interface ImplementOptions {
  /** What becomes of the body where its node loses its lease. Default `abort`. */
  readonly onLeaseLost?: OnLeaseLost | undefined
}

/** A task, with its body. */
export interface DefineOptions<
  Payload extends TaskSchema | undefined,
  Result extends TaskSchema | undefined,
  Progress extends TaskSchema | undefined,
  Returned,
> extends DeclareOptions<Payload, Result, Progress> {
  /** What becomes of the body where its node loses its lease. Default `abort`. */
  readonly onLeaseLost?: OnLeaseLost | undefined
  /** The body. What it returns is the result; what it throws is the failure. It has to heed its signal. */
  run(context: BodyContext<Payload, Progress>): Returned
}

/** A task that can be submitted from anywhere, and run where it was implemented. */
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

/** The definition that schemas and a body make. */
export type DefinitionOf<Payload, Result, Progress, Returned> = TaskDefinition<
  InputOf<Payload, undefined>,
  OutputOf<Result, Awaited<Returned>>,
  InputOf<Progress, unknown>
>
