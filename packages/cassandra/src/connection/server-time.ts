/** How long a measurement is used, in milliseconds. */
const validForMs = 60_000

/** By how much the two clocks of this machine may differ since a measurement, in milliseconds: more is a jump. */
const maxJumpMs = 1_000

/** The clocks of this machine. */
export interface MachineClocks {
  /** May be set forward or back. */
  wall(): number
  /** May stand still while the machine is suspended. */
  monotonic(): number
}

const machineClocks: MachineClocks = { wall: () => Date.now(), monotonic: () => performance.now() }

/**
 * The time of the Cassandra hosts, in milliseconds since 1970. Nodes use it where they have to agree: the clock of a node
 * may be hours off, but Cassandra itself needs hosts whose clocks agree. It may be late by the time of one request.
 */
export class ServerTime {
  readonly #read: () => Promise<number>
  readonly #clocks: MachineClocks
  #measured: { readonly server: number; readonly wall: number; readonly monotonic: number } | undefined
  #measuring: Promise<void> | undefined

  /** @param read Reads the time of a host. */
  constructor(read: () => Promise<number>, clocks: MachineClocks = machineClocks) {
    this.#read = read
    this.#clocks = clocks
  }

  /** Asks a host at most once a minute, and after a jump of a clock. @throws what the request fails with. */
  async now(): Promise<number> {
    const known = this.#known()
    if (known !== undefined) return known
    this.#measuring ??= this.#measure().finally(() => (this.#measuring = undefined))
    await this.#measuring
    return this.#known() ?? this.now()
  }

  #known(): number | undefined {
    if (this.#measured === undefined) return undefined
    const { server, wall, monotonic } = this.#measured
    const passed = this.#clocks.monotonic() - monotonic
    const jump = Math.abs(this.#clocks.wall() - wall - passed)
    return passed < validForMs && jump < maxJumpMs ? Math.floor(server + passed) : undefined
  }

  async #measure(): Promise<void> {
    const server = await this.#read()
    this.#measured = { server, wall: this.#clocks.wall(), monotonic: this.#clocks.monotonic() }
  }
}
