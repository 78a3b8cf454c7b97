/** The types of a task, for the compiler. At run time the property is absent. */
export interface TaskTypes<Payload, Result, Progress> {
  readonly payload: Payload
  readonly result: Result
  readonly progress: Progress
}

/** A task whose payload, result and progress have known types. */
export interface TypedTask<Payload, Result, Progress> {
  readonly '~types'?: TaskTypes<Payload, Result, Progress>
}

/** The types of a task; `unknown` if the task does not say. */
export type TypesOf<Task> = Task extends { readonly '~types'?: infer Types } ? NonNullable<Types> : unknown

/** The payload of a task; `undefined` if it takes none, `unknown` if the task does not say. */
export type PayloadOf<Task> = TypesOf<Task> extends { readonly payload: infer Payload } ? Payload : unknown

/** The result of a task; `unknown` if the task does not say. */
export type ResultOf<Task> = TypesOf<Task> extends { readonly result: infer Result } ? Result : unknown

/** The progress of a task; `unknown` if the task does not say. */
export type ProgressOf<Task> = TypesOf<Task> extends { readonly progress: infer Progress } ? Progress : unknown

/** The arguments after a task: its payload, which is optional if it may be `undefined`, and options. */
export type PayloadArguments<Task, Options> =
  undefined extends PayloadOf<Task> ? [payload?: PayloadOf<Task>, options?: Options] : [payload: PayloadOf<Task>, options?: Options]
