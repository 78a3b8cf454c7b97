declare const taskIdBrand: unique symbol

/**
 * The id of a task: a UUID in lower case. Version 7 if it was drawn at random, version 5 if it was derived from an idempotency key. Ids are
 * made outside the domain.
 */
export type TaskId = string & { readonly [taskIdBrand]: true }

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Whether the value is a well-formed task id. The task need not exist. */
export const isTaskId = (value: unknown): value is TaskId => typeof value === 'string' && shape.test(value)

/**
 * The cohort of a task: tasks that one manager submits within a short time share all but the last 16 bits of their ids. A store may keep a
 * cohort together; nothing else may depend on it.
 */
export const cohortOf = (taskId: TaskId): string => taskId.slice(0, -4)
