/** Where a server came from, in the order in which they are tried. */
export type Origin = 'environment' | 'machine' | 'docker' | 'started'

/** Tells people what is being fetched, started or stopped. */
export type Say = (line: string) => void

export interface CassandraEndpoint {
  /** Each `host:port`. */
  readonly contactPoints: readonly string[]
  readonly localDataCenter: string
  readonly credentials?: { readonly username: string; readonly password: string }
  /** As the server says it: `5.0.8`. */
  readonly version: string
}

export interface AmqpEndpoint {
  /** With user, password and vhost. */
  readonly url: string
  /** As the server says it: `3.10.8`. */
  readonly version: string
}

/** A server that can be used, whoever runs it. */
export interface Found<Endpoint> {
  readonly endpoint: Endpoint
  readonly origin: Origin
  /** Stops what was started here, and nothing else. Stopping twice is fine. */
  stop(): Promise<void>
}

/** A server that was started here, as a process that may be made to suffer. */
export interface EngineProcess<Endpoint> extends Found<Endpoint> {
  readonly pid: number
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>
  /** Starts it again on its data; resolves when it answers. */
  start(): Promise<void>
  /** SIGSTOP. */
  pause(): void
  /** SIGCONT. */
  resume(): void
}
