/** The faults that a harness can cause, for all clients of its subject. The TCP proxy of the kit provides all but `restart`. */
export interface Faults {
  /** Breaks every open connection; new connections work. */
  cut?(): Promise<void>
  /** Breaks every connection and refuses new ones, until the returned function is called. */
  refuse?(): Promise<() => Promise<void>>
  /** Keeps connections open and lets nothing through in either direction, until the returned function is called. */
  stall?(): Promise<() => Promise<void>>
  /** Lets nothing more through on the open connections, and does not end them: the other side is gone without a word. New connections work. */
  silence?(): Promise<void>
  /** Lets requests through and drops the answers, until the returned function is called. */
  loseReplies?(): Promise<() => Promise<void>>
  /** Restarts the engine, for all who use it; resolves when the engine accepts connections again. No other test may use that server. */
  restart?(): Promise<void>
}

/** What a harness opens for one rule. */
export interface Subject<Port> {
  /** The client that the rule works with. */
  readonly port: Port
  /** Opens another, independent client on the same data. The kit closes the port that is returned, and nothing else of its bundle. */
  peer(): Promise<Port>
  readonly faults?: Faults
  /**
   * Puts bytes that no codec wrote where the engine keeps a message (of the queue `where`), an event or a row (of the task `where`), or the
   * entry of a live node (of the id `where`, which keeps its time to live).
   */
  inject?(bytes: Uint8Array, where: string): Promise<void>
  /** For task listings that keep progress apart: puts bytes that no codec wrote in the place of the latest report of a task. */
  injectProgress?(bytes: Uint8Array, taskId: string): Promise<void>
  /** For work queues: makes a client disappear like a killed process. */
  kill?(client: Port): Promise<void>
  /** Keeps the connections of one client open and lets nothing through, until the returned function is called: the client stands still. */
  stallClient?(client: Port): Promise<() => Promise<void>>
  /**
   * Opens a client with a setting that the engine refuses: with this password, which is wrong, or with another setting if the engine knows no
   * passwords. Its failure is what a rule looks at.
   */
  openRefused?(password: string): Promise<Port>
  /** For task listings: how many rows the engine has read so far for the clients of this subject. Rules count the cost of a page by it. */
  rowsRead?(): number
  /** The state of the engine, shown where a rule fails. */
  inspect?(): unknown
  /** Closes what `open` opened: `port`, and the bundles of all clients, also those whose port is closed already. */
  [Symbol.asyncDispose]?(): Promise<void>
}

/** The options of `open`. */
export interface OpenOptions {
  /** Unique to the rule: use it as a keyspace, a prefix, a folder. */
  readonly namespace: string
}

/** The deadlines of an engine, in milliseconds. The variable CONTRACT_TIME_SCALE multiplies all of them. */
export interface Timing {
  /** How long a rule waits for an event that has to happen, and how long a client of the rule may take to close. Default 10,000. */
  readonly deadlineMs?: number
  /** How long `open` may take. Default 60,000. */
  readonly openMs?: number
  /** How long a fault or another hook of the subject may take, such as `restart`. Default 120,000. */
  readonly hookMs?: number
  /** How long the disposal of a subject may take. Default 30,000. */
  readonly disposeMs?: number
}

/** What the author of an adapter writes. */
export interface Harness<Port> {
  /** The engine and its version, as in reports: `cassandra 5.0`. */
  readonly name: string
  /** Called once for each rule, so that rules can run in parallel against one server. */
  open(options: OpenOptions): Promise<Subject<Port>>
  readonly timing?: Timing
  /** The largest number of rows that the adapter reads at a time. Rules write some more than two such pages. Default 1,000. */
  readonly pageRows?: number
}
