/** What the rules of all ports need of a port. */
export interface Closable {
  close(): Promise<void>
}

/** How a rule calls a method of a port. */
export interface PortCall<Port> {
  readonly method: string
  /** Resolves to the result. An iteration is begun, and makes one step. Each call has to succeed on a healthy engine. */
  call(port: Port, signal?: AbortSignal): Promise<unknown>
  /** For a method that returns an iteration. */
  readonly iteration?: PortIteration<Port>
}

/** How a rule iterates. */
export interface PortIteration<Port> {
  begin(port: Port, signal?: AbortSignal): AsyncIterable<unknown>
  /** Writes what the iteration comes to, at least two entries. */
  fill(port: Port): Promise<void>
}

/** A method that returns an iteration, as a call that makes the first step. */
export const iterationCall = <Port>(method: string, iteration: PortIteration<Port>): PortCall<Port> => ({
  method,
  iteration,
  call: async (port, signal) => {
    for await (const entry of iteration.begin(port, signal)) return entry
    return undefined
  },
})

/** A call that is under way, and its end. */
export interface UnderWay {
  /** `append`, or `the second step of histories`. */
  readonly what: string
  /** Resolves to what the call fails with, or to nothing if it succeeds. */
  readonly end: Promise<unknown>
  /** Whether it has ended so far. */
  hasEnded(): boolean
}

/** Watches a call. It never rejects. */
export const underWay = (what: string, begin: () => Promise<unknown>): UnderWay => {
  let hasEnded = false
  const end = (async () => {
    try {
      await begin()
      return undefined
    } catch (error) {
      // A call may be rejected with nothing.
      return error ?? new Error(`it rejected with ${String(error)}`)
    } finally {
      hasEnded = true
    }
  })()
  return { what, end, hasEnded: () => hasEnded }
}

/** Makes turns of the event loop, as many as a call needs that waits for no one. */
export const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
