import type { TaskMessaging, TaskStorage } from '@taskledger/core/ports'
import type { Adapters, Contract, Harness, Rule } from '@taskledger/test-kit'
import type { Side } from './engines/engine.ts'

/** A whole system: storage on one engine, messaging on another. */
export interface Pair {
  readonly storage: Side<TaskStorage>
  readonly messaging: Side<TaskMessaging>
}

export const startPair = async ({ storage, messaging }: Pair): Promise<void> => {
  await Promise.all([storage.start(), messaging.start()])
}

export const stopPair = async ({ storage, messaging }: Pair): Promise<void> => {
  await Promise.all([storage.stop(), messaging.stop()])
}

/** A client of each side. If one cannot be opened, the other one is closed. */
const openBoth = async (storage: Promise<TaskStorage>, messaging: Promise<TaskMessaging>): Promise<Adapters> => {
  const [kept, carried] = await Promise.allSettled([storage, messaging])
  if (kept.status === 'fulfilled' && carried.status === 'fulfilled')
    return {
      storage: kept.value,
      messaging: carried.value,
      close: async () => void (await Promise.all([kept.value.close(), carried.value.close()])),
    }
  for (const side of [kept, carried]) if (side.status === 'fulfilled') await side.value.close()
  for (const side of [kept, carried]) if (side.status === 'rejected') throw side.reason
  throw new TypeError('unreachable: one of the two clients was not opened')
}

/** The harness for rules about a whole system: each rule has a namespace on both engines. */
export const harnessOf = ({ storage, messaging }: Pair): Harness<Adapters> => ({
  name: `${storage.name}, ${messaging.name}`,
  // Some rules send large loads through both engines, which share the machine with other rules.
  timing: { deadlineMs: 30_000 },
  open: async ({ namespace }) => {
    const [kept, carried] = [storage.open(namespace), messaging.open(namespace)]
    const client = (): Promise<Adapters> => openBoth(kept.client(), carried.client())
    const port = await client()
    return {
      port,
      peer: client,
      inject: async (bytes, where) => {
        const [kind = '', name = ''] = where.split(/\/(.*)/s)
        await (kind === 'history' ? kept : carried).inject(bytes, kind, name)
      },
      inspect: () => [kept.inspect(), carried.inspect()],
      [Symbol.asyncDispose]: async () => {
        await port.close()
        await Promise.all([kept.dispose(), carried.dispose()])
      },
    }
  },
})

/**
 * The rules for a pair with only one real engine: races and faults, where engines differ, and of all others the first rule of each group.
 * The pair of two real engines has to pass every rule.
 */
export const sampleOf = (contract: Contract<Adapters>): Contract<Adapters> => {
  const groups = new Set<string>()
  const isInSample = ({ id, kind }: Rule<Adapters>): boolean => {
    const group = id.replace(/\.\d+$/, '')
    const isFirst = !groups.has(group)
    groups.add(group)
    return isFirst || kind !== 'plain'
  }
  return { ...contract, rules: contract.rules.filter(isInSample) }
}
