/** One half of a system, as one rule uses it: the data of its own namespace. */
export interface SideOfRule<Port> {
  /** Opens an independent client. */
  client(): Promise<Port>
  /** Puts bytes that no codec wrote where the engine keeps a `history`, a message of a `queue`, or a notice of the `bus`. */
  inject(bytes: Uint8Array, kind: string, name: string): Promise<void>
  /** What is there, in words. */
  inspect(): unknown
  /** Removes what was left behind. The clients are closed by then. */
  dispose(): Promise<void>
}

/** One half of a system, storage or messaging, on one engine that many rules share. */
export interface Side<Port> {
  /** The engine and its version. */
  readonly name: string
  /** Makes what the rules share. */
  start(): Promise<void>
  open(namespace: string): SideOfRule<Port>
  /** Takes it away. */
  stop(): Promise<void>
}
