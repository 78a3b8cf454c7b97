import type { NodeRegistry } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
import { liveOn, longTtlMs, nodeWith } from './sample-nodes.ts'

export const valueRules: readonly Rule<NodeRegistry>[] = [
  {
    id: 'NR-2.1',
    kind: 'plain',
    title: 'the data of a node comes back equal: unicode, empty and large values',
    hint: 'store it as JSON text in UTF-8 (the codec of core does it); queues may have any name',
    run: async ({ port, peer }) => {
      const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`queue-${1_000 + index}`, index]))
      const nodes = [
        nodeWith({ nodeId: 'a', name: '', queues: {}, delivered: {} }),
        nodeWith({
          nodeId: 'b',
          name: 'Köln 日本 👩‍👩‍👧‍👦 "quoted" \\',
          queues: { 'bleu céleste': 1, 'a.b': 0, '': 2 },
          delivered: { ключ: 1_709_208_000_123 },
        }),
        nodeWith({ nodeId: 'c', name: 'x'.repeat(1_000), queues: many, delivered: many, running: 1_000_000 }),
        nodeWith({ nodeId: 'd/ü#:\u200d', startedAt: 0 }),
      ]
      for (const node of nodes) await port.renew(node, longTtlMs)
      same(await liveOn(await peer()), nodes, 'the live nodes on another client')
    },
  },
  {
    id: 'NR-2.2',
    kind: 'plain',
    title: 'a caller that changes its objects does not change the stored data',
    hint: 'copy on the way in and on the way out',
    run: async ({ port }) => {
      const expected = nodeWith({ delivered: { default: 1 } })
      const given = { ...nodeWith(), delivered: { default: 1 } as Record<string, number>, queues: { default: 4 } as Record<string, number> }
      const renewing = port.renew(given, longTtlMs)
      await renewing
      given.name = 'spoilt'
      given.delivered['default'] = 99
      given.queues['other'] = 99
      same(await port.live(), [expected], 'the live nodes after the caller changed what it had given')
      const [returned] = await port.live()
      Object.assign(returned ?? {}, { name: 'spoilt' })
      if (returned !== undefined && 'delivered' in returned) Object.assign(returned.delivered, { default: 99 })
      same(await port.live(), [expected], 'the live nodes after the caller changed what it had got')
    },
  },
]
