/** What a cluster promises under faults. */
export const promises = {
  final: 'every acknowledged task and every listed task comes to its end',
  history: 'every history is allowed by the rules of the domain, with one final event',
  readable: 'whatever is stored can be read: anything else is refused before it is written',
  listing: 'the listing says what the histories say',
  queue: 'nothing is left in the queues or among the dead letters',
  unfinished: 'no row is left unfinished',
  key: 'an idempotency key stands for one task',
  await: 'every await is answered, and with what the history says',
  awaitInTime: 'after the faults, an await is answered within seconds of the end',
  cancel: 'an acknowledged cancel takes effect, or its caller is told otherwise',
  cancelInTime: 'after the faults, a body is told of a cancel request within seconds',
  oneNode: 'no attempt runs twice',
  fence: 'each run of a task id has a higher fencing token than the runs before, also after a purge',
  overlap: 'no two runs of a task overlap, except runs of a frozen node and of bodies that ignore their signal',
  serial: 'no two tasks of a serial queue run at the same time, except those of a frozen node',
  ending: 'the history says of each attempt how it ended',
  alive: 'no node is declared dead that was neither stopped nor cut off',
  apart: 'a node is told to be apart if it shares only storage or only messaging with the others, and never otherwise',
  once: 'without faults, the message of a task that is due at once is sent once',
  prompt: 'without faults, a task begins within seconds if a slot is free',
  held: 'a frozen node keeps a task from the others only until the broker gives up on it',
  stored: 'a body runs as the store says, whatever a message says',
  due: 'no task begins before its time',
  timers: 'no timer is left behind',
  poison: 'a task that kills its process ends as died, and every other task completes, after two crashes at most',
  further: 'a task that gets further between the deaths of its process completes',
  blocked: 'a task that blocks its event loop comes to its end, and the only node of a cluster keeps its tasks',
  truth: 'no client is told anything false',
} as const

/** The name of a promise. */
export type PromiseName = keyof typeof promises

/** A promise that was broken, and how. */
export interface BrokenPromise {
  readonly promise: PromiseName
  readonly detail: string
}
