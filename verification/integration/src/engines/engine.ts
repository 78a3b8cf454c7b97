import type { TaskMessaging, TaskStorage } from '@taskledger/core/ports'
import type { EngineProcess, Found, Say } from '@taskledger/servers'
import type { Contract, Harness, Report } from '@taskledger/test-kit'
import { runContract } from '@taskledger/test-kit'

/** One half of a system, as one rule uses it: the data of one namespace. */
export interface SideOfRule<Port> {
  /** Opens an independent client. */
  client(): Promise<Port>
  /** Puts bytes that no codec wrote where the engine keeps a `history`, a message of a `queue`, or a notice of the `bus`. */
  inject(bytes: Uint8Array, kind: string, name: string): Promise<void>
  /** What is there, in words. */
  inspect(): unknown
  /** Removes the data, after the clients are closed. */
  dispose(): Promise<void>
}

/** One half of a system, storage or messaging, on an engine that many rules share. */
export interface Side<Port> {
  /** The engine and its version. */
  readonly name: string
  /** Makes what the rules share. */
  start(): Promise<void>
  open(namespace: string): SideOfRule<Port>
  /** Removes what the rules share. */
  stop(): Promise<void>
}

/** The rules of one port, on one engine. */
export interface PortReport {
  readonly contract: string
  run(): Promise<Report>
}

/** A server, and what the compatibility page shows of it. */
export interface OpenEngine {
  readonly ports: readonly PortReport[]
  readonly storage?: Side<TaskStorage>
  readonly messaging?: Side<TaskMessaging>
  close(): Promise<void>
}

/** An engine with adapters. A new engine implements this in a module beside this one, and is named in `index.ts`. */
export interface TestedEngine {
  /** Finds the server that the environment names, or starts one that the rules may restart. */
  open(say: Say): Promise<OpenEngine>
}

export const portReport = <Port>(contract: Contract<Port>): PortReport => ({ contract: contract.name, run: () => runContract(contract) })

/** The harness of an adapter on a server that was found or started; a started server can be restarted by a rule. */
export const harnessOn = <Port>(
  server: Found<{ readonly version: string }>,
  harness: Harness<Port>,
  options: { readonly name: string; beforeKill?(): Promise<void> },
): Harness<Port> => ({
  ...harness,
  name: options.name,
  // Servers start slowly on a machine that runs everything else too.
  timing: { ...harness.timing, deadlineMs: 60_000 },
  open: async (given) => {
    const subject = await harness.open(given)
    if (!isOwn(server)) return subject
    const restart = async (): Promise<void> => {
      await options.beforeKill?.()
      await server.kill()
      await server.start()
    }
    return { ...subject, faults: { ...subject.faults, restart } }
  },
})

const isOwn = <Endpoint>(server: Found<Endpoint>): server is EngineProcess<Endpoint> => server.origin === 'started' && 'kill' in server
