import type { Fault } from './faults.ts'
import type { Forgery } from './forgeries.ts'

/**
 * What the body of a simulated task does. `deaf` ignores its signal, `finishing` runs on without a lease, `poison` kills its process after
 * `bodyMs`, `blocking` blocks the event loop of its process for `bodyMs` and then heeds its signal, `import` reports progress and continues
 * from there in the next attempt.
 */
export type BodyKind = 'nothing' | 'slow' | 'failing' | 'deaf' | 'progress' | 'serial' | 'finishing' | 'poison' | 'blocking' | 'import'

/** A task, and what clients do with it. Times are in milliseconds since the start. */
export interface PlannedTask {
  readonly index: number
  readonly kind: BodyKind
  /** How long an attempt takes. */
  readonly bodyMs: number
  /** How many attempts fail before one succeeds. */
  readonly failures: number
  /** After how long a process starts again that the body has killed. */
  readonly restartMs?: number
  readonly atMs: number
  readonly node: string
  readonly key?: string
  /** The same submit again, by key, from another node. */
  readonly repeat?: { readonly node: string; readonly afterMs: number }
  /** The same submit again, by key, from a node, after the purge of the plan. */
  readonly reuse?: { readonly node: string; readonly afterMs: number }
  readonly notBeforeMs?: number
  readonly cancel?: { readonly node: string; readonly afterMs: number }
  readonly awaits: readonly { readonly node: string; readonly afterMs: number }[]
}

/** What a careless client gives that could not be read back: the id of something else, or a copy of a task with a wrong property. */
export type Carelessness = 'retryOf' | 'labels' | 'timeoutMs' | 'version' | 'queue'

/** Everything that happens to the nodes of a simulation. */
export interface Plan {
  readonly seed: number
  /** When each node starts, by name. A node without a time does not exist. */
  readonly starts: Readonly<Record<string, number>>
  readonly tasks: readonly PlannedTask[]
  readonly faults: readonly Fault[]
  /** A client that submits what has to be refused. */
  readonly careless?: { readonly node: string; readonly atMs: number; readonly gives: Carelessness }
  /** Messages that no node sends. */
  readonly forgeries?: readonly Forgery[]
  /** A purge of the tasks that finished well before, on a node. */
  readonly purge?: { readonly node: string; readonly atMs: number }
  /** A node with wrong settings: it has storage or messaging of its own, and shares the other with the cluster. No client uses it. */
  readonly misplaced?: { readonly node: string; readonly lacks: 'storage' | 'messaging' }
}

/** The nodes with a worker. */
export const workerNames: readonly string[] = ['a', 'b', 'c']
export const frontEnd = 'f'
export const nodeNames: readonly string[] = [...workerNames, frontEnd]

/** The queue whose tasks run one at a time. */
export const serialQueue = 'serial'
