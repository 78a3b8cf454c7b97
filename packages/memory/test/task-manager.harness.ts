import type { TaskId } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import type { Adapters, Harness } from '@taskledger/test-kit'

/** One client of a memory is one node's; `where` is `queue/<name>`, `bus` or `history/<task id>`. */
export const taskManagerHarness: Harness<Adapters> = {
  name: 'memory',
  open: async () => {
    const memory = createMemory({ logger: silentLogger })
    const client = (): Adapters => {
      const storage = memory.storage()
      const messaging = memory.messaging()
      return { storage, messaging, close: async () => void (await Promise.all([storage.close(), messaging.close()])) }
    }
    return {
      port: client(),
      peer: async () => client(),
      inject: async (bytes, where) => {
        const text = new TextDecoder().decode(bytes)
        const [kind, name = ''] = where.split(/\/(.*)/s)
        if (kind === 'queue') memory.faults.injectMessage(name, text)
        else if (kind === 'bus') memory.faults.injectNotice(text)
        else memory.faults.injectEvent(name as TaskId, text)
      },
      inspect: () => memory.inspect(),
    }
  },
}
