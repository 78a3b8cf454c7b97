import type { Faults, Harness, Subject } from './harness.ts'

/** `plain`: one order of things. `race`: seeded, repeated, able to miss. `fault`: the engine is made to suffer. */
export type Kind = 'plain' | 'race' | 'fault'

/** What a rule has beside its subject. */
export interface RuleContext<Port> extends Subject<Port> {
  readonly faults: Required<Faults>
  readonly namespace: string
  /** Seeds `random`; shown where a rule fails. */
  readonly seed: number
  /** In [0, 1). */
  random(): number
  /** How long what has to happen may take, in milliseconds. */
  readonly deadlineMs: number
  /** Waits until the condition holds; past the deadline it fails with the sentence, which says what did not happen. */
  waitUntil(sentence: string, condition: () => boolean | Promise<boolean>): Promise<void>
  /** Bounds a promise by the deadline; past it, it fails with the sentence. */
  within<T>(sentence: string, promise: Promise<T>): Promise<T>
  /** What to show where the rule fails: the history seen, say. The last call counts. */
  observe(seen: unknown): void
}

/** One promise of a port, as data. */
export interface Rule<Port> {
  /** Stable: `ES-2.4`. */
  readonly id: string
  readonly kind: Kind
  /** A sentence that is true where the rule holds. */
  readonly title: string
  /** The usual cause where it does not. */
  readonly hint: string
  /** Why the rule cannot be shown on this subject, or nothing where it can. */
  notShown?(subject: Subject<Port>): string | undefined
  /** Resolves where the rule holds; rejects with what was seen where it does not. */
  run(context: RuleContext<Port>): Promise<void>
}

/** The rules of a port, bound to a harness. */
export interface Contract<Port> {
  /** `event store`, `work queue`, … */
  readonly name: string
  readonly harness: Harness<Port>
  readonly rules: readonly Rule<Port>[]
}

/** `passed` and `failed` speak of the adapter, `error` of the harness; `not shown` says why it could not be tried. */
export type RuleStatus = 'passed' | 'failed' | 'error' | 'not shown'

/** What came of one rule. */
export interface RuleResult {
  readonly id: string
  readonly kind: Kind
  readonly title: string
  readonly status: RuleStatus
  /** How long it took, in milliseconds. */
  readonly ms: number
  /** Why it was not shown or failed. */
  readonly message?: string
}

/** What came of a contract. */
export interface Report {
  readonly contract: string
  readonly subject: string
  readonly results: readonly RuleResult[]
  /** Whether every rule that could be shown held. */
  readonly ok: boolean
}
