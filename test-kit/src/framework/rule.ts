import type { Faults, Harness, Subject } from './harness.ts'

/**
 * `plain`: always the same order of calls. `race`: many orders, drawn from a seed, so one run may miss a bug. `fault`: with faults of the
 * engine or its network.
 */
export type Kind = 'plain' | 'race' | 'fault'

/** The subject of a rule, and its helpers. */
export interface RuleContext<Port> extends Subject<Port> {
  readonly faults: Required<Faults>
  readonly namespace: string
  /** Seeds `random`; shown where a rule fails. */
  readonly seed: number
  /** In [0, 1). */
  random(): number
  /** The largest number of rows that the adapter reads at a time. */
  readonly pageRows: number
  /** How long a rule waits for an event that has to happen, in milliseconds. */
  readonly deadlineMs: number
  /**
   * Waits until the condition holds. A condition that fails with UNAVAILABLE or OUTCOME_UNKNOWN does not hold yet; any other failure ends the
   * wait. After the deadline it fails with the sentence, which says what is awaited and in which step, and the last such error.
   */
  waitUntil(sentence: string, condition: () => boolean | Promise<boolean>): Promise<void>
  /** Bounds a promise by the deadline. After the deadline it fails with the sentence, and the last error that a wait of the rule saw. */
  within<T>(sentence: string, promise: Promise<T>): Promise<T>
  /** Records what to show if the rule fails, such as a history. The last call counts. */
  observe(seen: unknown): void
}

/** One promise of a port, as data. */
export interface Rule<Port> {
  /** Stable: `ES-2.4`. */
  readonly id: string
  readonly kind: Kind
  /** A sentence that is true where the rule holds. */
  readonly title: string
  /** The usual cause of a failure. */
  readonly hint: string
  /** Why the rule cannot be tried on this subject; undefined where it can. */
  notShown?(subject: Subject<Port>): string | undefined
  /** Resolves where the rule holds, and rejects where it does not. */
  run(context: RuleContext<Port>): Promise<void>
}

/** The rules of a port, bound to a harness. */
export interface Contract<Port> {
  /** `event store`, `work queue`, … */
  readonly name: string
  readonly harness: Harness<Port>
  readonly rules: readonly Rule<Port>[]
}

/** `passed` and `failed` are about the adapter, `error` is about the harness. `not shown`: the rule could not be tried. */
export type RuleStatus = 'passed' | 'failed' | 'error' | 'not shown'

/** The result of one rule. */
export interface RuleResult {
  readonly id: string
  readonly kind: Kind
  readonly title: string
  readonly status: RuleStatus
  /** How long the rule took, in milliseconds. */
  readonly ms: number
  /** Why the rule failed or was not shown. */
  readonly message?: string
}

/** The results of a contract. */
export interface Report {
  readonly contract: string
  readonly subject: string
  readonly results: readonly RuleResult[]
  /** Whether every rule that could be tried held. */
  readonly ok: boolean
}
