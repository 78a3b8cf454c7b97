import type { TaskMessaging, TaskStorage } from '@taskledger/core/ports'
import type { Adapters, Contract, Harness, Rule } from '@taskledger/test-kit'
import type { Side } from './side.ts'

/** A system: where it keeps what it knows, and what carries its work and news. */
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

/** A client of each; where one of the two cannot be opened, the other is not left behind. */
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
  throw new TypeError('one of two was not opened')
}

/** What rules about a whole system open: each has its own namespace on both engines. */
export const harnessOf = ({ storage, messaging }: Pair): Harness<Adapters> => ({
  name: `${storage.name}, ${messaging.name}`,
  // Whole storms pass through both engines, which share the machine with them and with other rules.
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
 * Where only one of the two engines is real, what can differ shows in races and faults; of everything else the first rule of each
 * group is enough. The pair of both real engines has to pass every rule.
 */
export const telling = (contract: Contract<Adapters>): Contract<Adapters> => {
  const groups = new Set<string>()
  const isTelling = ({ id, kind }: Rule<Adapters>): boolean => {
    const group = id.replace(/\.\d+$/, '')
    const isFirst = !groups.has(group)
    groups.add(group)
    return isFirst || kind !== 'plain'
  }
  return { ...contract, rules: contract.rules.filter(isTelling) }
}
