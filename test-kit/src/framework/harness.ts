/** What the engine can be made to suffer. The kit's own TCP proxy provides the first four. */
export interface Faults {
  /** Breaks every connection that there is; new ones work. */
  cut?(): Promise<void>
  /** Breaks every connection and refuses new ones, until the returned function is called. */
  refuse?(): Promise<() => Promise<void>>
  /** Lets nothing through in either direction, connections stay open, until the returned function is called. */
  stall?(): Promise<() => Promise<void>>
  /** Lets requests through and loses the answers, until the returned function is called. */
  loseReplies?(): Promise<() => Promise<void>>
  /** Restarts the engine; resolves when it takes connections again. */
  restart?(): Promise<void>
}

/** What a harness opens for one rule. */
export interface Subject<Port> {
  /** The client that the rule works with. */
  readonly port: Port
  /** Opens another, independent client on the same data. The kit closes it. */
  peer(): Promise<Port>
  readonly faults?: Faults
  /** Puts bytes that no codec wrote where the engine keeps a message (of the queue `where`) or a row (of the task `where`). */
  inject?(bytes: Uint8Array, where: string): Promise<void>
  /** For work queues: what stands with the dead letters of a queue. */
  deadLetters?(queue: string): Promise<readonly string[]>
  /** For work queues: makes a client vanish without a goodbye, as if its process had been killed. */
  kill?(client: Port): Promise<void>
  /** For task listings: how many rows the engine has read for the clients of this subject so far. It shows what a page costs. */
  rowsRead?(): number
  /** What the engine holds, in words; shown where a rule fails. */
  inspect?(): unknown
  /** Puts away what was opened. */
  [Symbol.asyncDispose]?(): Promise<void>
}

/** What a subject is opened with. */
export interface OpenOptions {
  /** Unique to the rule: use it as a keyspace, a prefix, a folder. */
  readonly namespace: string
}

/** How much time an engine needs. */
export interface Timing {
  /** How long a rule waits for what has to happen, in milliseconds. Default 10,000. */
  readonly deadlineMs?: number
}

/** What an author of an adapter writes. */
export interface Harness<Port> {
  /** The engine and its version, as reports name it: `cassandra 5.0`. */
  readonly name: string
  /** Called once for each rule, so that rules can run in parallel against one server. */
  open(options: OpenOptions): Promise<Subject<Port>>
  readonly timing?: Timing
}
