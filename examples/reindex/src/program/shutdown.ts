import process from 'node:process'

/** The exit code of a process that a signal ended: 128 and the number of the signal. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

type ShutdownSignal = keyof typeof exitCodes

const names = Object.keys(exitCodes) as readonly ShutdownSignal[]

/** Why a program shuts down. `quit` is a key, and the usual end of a run. */
export type ShutdownRequest = ShutdownSignal | 'quit'

const codeOf = (request: ShutdownRequest | undefined): number | undefined =>
  request === undefined || request === 'quit' ? undefined : exitCodes[request]

/** The reason of an operation that a shutdown aborts. */
export class ShutDown extends Error {
  override readonly name = 'ShutDown'
}

export interface ShutdownActions {
  readonly inOrder: () => void
  readonly atOnce: () => void
}

/** Shuts a program down in order at the first request, and ends it at once at the second. */
export class Shutdown {
  readonly #over = new AbortController()
  #requested: ShutdownRequest | undefined
  #actions: ShutdownActions | undefined
  readonly #onSignal = (name: NodeJS.Signals): void => this.request(name as ShutdownSignal)

  constructor() {
    for (const name of names) process.on(name, this.#onSignal)
  }

  /** Aborted at the first request. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** The exit code of the process, if a signal requested the shutdown. */
  get exitCode(): number | undefined {
    return codeOf(this.#requested)
  }

  /** From now on there is something to shut down. Before, the first request ends the process. */
  setActions(actions: ShutdownActions): void {
    this.#actions = actions
  }

  request(request: ShutdownRequest): void {
    if (this.#requested !== undefined || this.#actions === undefined) {
      this.#actions?.atOnce()
      process.exit(codeOf(request) ?? 1)
    }
    this.#requested = request
    this.#actions.inOrder()
    this.#over.abort(new ShutDown('the program shuts down'))
  }

  /** Handles signals no longer. */
  release(): void {
    for (const name of names) process.off(name, this.#onSignal)
  }
}
