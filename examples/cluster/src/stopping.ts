import process from 'node:process'

/** What a process says that a signal ended: 128 and the number of the signal. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

type StopSignal = keyof typeof exitCodes

const names = Object.keys(exitCodes) as readonly StopSignal[]

/** By what somebody wishes the end: `quit` is a key, and the usual end of a run. */
export type StopWish = StopSignal | 'quit'

const codeOf = (wish: StopWish | undefined): number | undefined => (wish === undefined || wish === 'quit' ? undefined : exitCodes[wish])

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
  #asked: StopWish | undefined
  #actions: StopActions | undefined
  readonly #heed = (name: NodeJS.Signals): void => this.ask(name as StopSignal)

  constructor() {
    for (const name of names) process.on(name, this.#heed)
  }

  /** Aborted at the first wish. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** What the process is to end with, if a signal asked it to. */
  get exitCode(): number | undefined {
    return codeOf(this.#asked)
  }

  /** From here on there is something to be put in order; before, the first wish ends the process. */
  from(actions: StopActions): void {
    this.#actions = actions
  }

  ask(wish: StopWish): void {
    if (this.#asked !== undefined || this.#actions === undefined) {
      this.#actions?.atOnce()
      process.exit(codeOf(wish) ?? 1)
    }
    this.#asked = wish
    this.#actions.inOrder()
    this.#over.abort(new Stopped('somebody wishes the end'))
  }

  /** Leaves signals to the process again. */
  release(): void {
    for (const name of names) process.off(name, this.#heed)
  }
}
