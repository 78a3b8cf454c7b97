import process from 'node:process'

/** What a process says that a signal ended: 128 and the number of the signal. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

export type StopSignal = keyof typeof exitCodes

const names = Object.keys(exitCodes) as readonly StopSignal[]

/** The reason of what is given up because somebody wishes the end. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** What is to happen when somebody wishes the end. */
export interface StopActions {
  readonly inOrder: () => void
  readonly atOnce: () => void
}

/** Ends in order when it is asked to, and at once when it is asked again. */
export class Stopping {
  readonly #over = new AbortController()
  #asked: StopSignal | undefined
  #actions: StopActions | undefined
  readonly #heed = (name: NodeJS.Signals): void => this.ask(name as StopSignal)

  constructor() {
    for (const name of names) process.on(name, this.#heed)
  }

  /** Aborted at the first wish. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** What the process is to end with, if it was asked to. */
  get exitCode(): number | undefined {
    return this.#asked === undefined ? undefined : exitCodes[this.#asked]
  }

  /** From here on there is something to be put in order; before, the first wish ends the process. */
  from(actions: StopActions): void {
    this.#actions = actions
  }

  ask(name: StopSignal): void {
    if (this.#asked !== undefined || this.#actions === undefined) {
      this.#actions?.atOnce()
      process.exit(exitCodes[name])
    }
    this.#asked = name
    this.#actions.inOrder()
    this.#over.abort(new Stopped('somebody wishes the end'))
  }

  /** Leaves signals to the process again. */
  release(): void {
    for (const name of names) process.off(name, this.#heed)
  }
}
