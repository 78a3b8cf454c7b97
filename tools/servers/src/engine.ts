/** Where a server came from, in the order in which these places are tried. */
export const origins = ['environment', 'machine', 'docker', 'started'] as const

export type Origin = (typeof origins)[number]

/** Tells people what is being fetched, started or stopped. */
export type Say = (line: string) => void

export type Environment = Readonly<Record<string, string | undefined>>

/** A server that can be used. */
export interface Found<Endpoint> {
  readonly endpoint: Endpoint
  readonly origin: Origin
  /** Stops what was started here, and nothing else. Stopping twice is fine. */
  stop(): Promise<void>
}

/** A server that was started here, as a process that a test may kill and pause. */
export interface EngineProcess<Endpoint> extends Found<Endpoint> {
  readonly pid: number
  /** SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>
  /** Starts it again on its data; resolves when it answers. */
  start(): Promise<void>
  /** SIGSTOP. */
  pause(): void
  /** SIGCONT. */
  resume(): void
}

interface Present<Endpoint> {
  readonly type: 'present'
  readonly endpoint: Endpoint
  readonly stop: () => Promise<void>
}

interface Absent {
  readonly type: 'absent'
  readonly why: string
}

/** The result of looking for a server in one place. */
export type Attempt<Endpoint> = Present<Endpoint> | Absent

/** How to look in each place. A place that rejects with `ServerNotAvailable` has no server; any other rejection ends the search. */
export type Places<Endpoint> = Readonly<Record<Origin, () => Promise<Attempt<Endpoint>>>>

/** What the tests, the programs and the examples need to know about an engine. A new engine implements this in a folder of its own. */
export interface Engine<Endpoint> {
  /** `Cassandra` */
  readonly name: string
  /** Shown while test files are collected on a machine without servers. Nothing connects to it. */
  readonly nowhere: Endpoint
  places(say: Say): Places<Endpoint>
  /** The version and the address, without a password. */
  describe(endpoint: Endpoint): string
  /** The environment variables by which another process finds this server. */
  environmentOf(endpoint: Endpoint): Readonly<Record<string, string>>
  /**
   * Fetches what this machine needs to start a server.
   *
   * @throws {@link ServerNotAvailable} if this machine cannot start one.
   */
  prepare(say: Say): Promise<void>
  /** Starts a server for `pnpm servers`: at its usual port where that is free, so that tests find it. */
  keep(say: Say): Promise<Found<Endpoint>>
}
