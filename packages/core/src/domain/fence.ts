/**
 * The fencing token of the next attempt. It is more than the latest token of the history, and at least the time of the claim: so it also
 * grows from one life of a task id to the next, after the task was removed. A history without an attempt has the time of its creation.
 */
export const nextFence = (latest: number, at: number): number => Math.max(latest + 1, Math.ceil(at))

/** What the token of the first attempt is more than, by the time of the creation: tokens are whole numbers from 1 on. */
export const fenceBefore = (createdAt: number): number => Math.max(0, Math.ceil(createdAt))
