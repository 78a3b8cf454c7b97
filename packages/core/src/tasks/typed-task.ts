/** Types that a task carries along for the compiler. At run time there is nothing. */
export interface TaskTypes<Payload, Result, Progress> {
  readonly payload: Payload
  readonly result: Result
  readonly progress: Progress
}

/** A task that the compiler knows the types of: what is submitted, what is awaited, what is reported. */
export interface TypedTask<Payload, Result, Progress> {
  readonly '~types'?: TaskTypes<Payload, Result, Progress>
}

/** The types that a task carries along, or `unknown`. */
export type TypesOf<Task> = Task extends { readonly '~types'?: infer Types } ? NonNullable<Types> : unknown

/** What is submitted for a task; `undefined` where it takes no payload, `unknown` where its types are not known. */
export type PayloadOf<Task> = TypesOf<Task> extends { readonly payload: infer Payload } ? Payload : unknown

/** What a task comes to. */
export type ResultOf<Task> = TypesOf<Task> extends { readonly result: infer Result } ? Result : unknown

/** What a task reports of its progress. */
export type ProgressOf<Task> = TypesOf<Task> extends { readonly progress: infer Progress } ? Progress : unknown

/** The arguments that follow a task: its payload, which may be left out where it may be `undefined`, and options. */
export type PayloadArguments<Task, Options> =
  undefined extends PayloadOf<Task> ? [payload?: PayloadOf<Task>, options?: Options] : [payload: PayloadOf<Task>, options?: Options]
