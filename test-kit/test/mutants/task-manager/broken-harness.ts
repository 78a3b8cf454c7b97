import type { TaskId } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import type { Adapters, Harness } from '@taskledger/test-kit'
import type { CallHandlers } from '@taskledger/test-kit/faults'
import { interceptedAdapters, onCalls } from '@taskledger/test-kit/faults'

/** What all clients of one rule share. */
export interface Shared {
  /** Where a rule put bytes that no codec wrote: `queue`, `bus`, `history`. */
  readonly injected: ReadonlySet<string>
}

/** Makes what breaks the clients of one rule: it is called once for each rule, and its result once for each client. */
export type Breakage = (shared: Shared) => (client: Adapters) => CallHandlers

/** A broken client, the rules that have to find it, and some rules that must not. */
export interface Mutant {
  readonly name: string
  readonly breakage: Breakage
  readonly fails: readonly string[]
  readonly holds: readonly string[]
  /** How long a rule that has to find the mutant may wait, in milliseconds. Default 2,000. */
  readonly deadlineMs?: number
}

/** Breaks each client in the same way, without any state. */
export const stateless =
  (handlers: CallHandlers): Breakage =>
  () =>
  () =>
    handlers

/** Memory, each of whose clients is broken in the same way. */
export const brokenHarness = (breakage: Breakage, deadlineMs: number): Harness<Adapters> => ({
  name: 'mutant',
  timing: { deadlineMs },
  open: async () => {
    const memory = createMemory({ logger: silentLogger })
    const injected = new Set<string>()
    const handlersFor = breakage({ injected })
    const open = (): Adapters => {
      const storage = memory.storage()
      const messaging = memory.messaging()
      const client = { storage, messaging, close: async () => void (await Promise.all([storage.close(), messaging.close()])) }
      return interceptedAdapters(client, onCalls(handlersFor(client)))
    }
    return {
      port: open(),
      peer: async () => open(),
      inject: async (bytes, where) => {
        const text = new TextDecoder().decode(bytes)
        const [kind = '', name = ''] = where.split(/\/(.*)/s)
        injected.add(kind)
        if (kind === 'queue') memory.faults.injectMessage(name, text)
        else if (kind === 'bus') memory.faults.injectNotice(text)
        else memory.faults.injectEvent(name as TaskId, text)
      },
    }
  },
})
