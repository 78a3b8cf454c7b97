import type { NodeInfo, NodeRegistry, UnreadableNode } from '@taskledger/core/ports'
import { isUnreadableNode } from '@taskledger/core/ports'
import type { Subject } from '../../framework/harness.ts'
import type { Rule } from '../../framework/rule.ts'
import { holds, same } from '../expectations.ts'
import { idsOf, liveOn, longTtlMs, nodeWith, shortTtlMs } from './sample-nodes.ts'

/** The beginning of an entry, as a write that was cut off would leave it. */
const cutOff = new TextEncoder().encode('{"v":1,"nodeId":')

const notShown = ({ inject }: Subject<NodeRegistry>): string | undefined =>
  inject === undefined ? 'the harness has no "inject"' : undefined

const checkNamed = (node: NodeInfo | UnreadableNode | undefined, nodeId: string, client: string): void => {
  holds(
    node !== undefined,
    `the node ${nodeId}, whose entry cannot be decoded, is not among the live nodes of ${client}: others take it for dead`,
  )
  holds(isUnreadableNode(node), `the node ${nodeId}, whose entry cannot be decoded, is shown by ${client} like a node whose entry can be`)
  holds(node.unreadable !== '', `the node ${nodeId} does not say to ${client} why its entry cannot be decoded`)
}

export const unreadableRules: readonly Rule<NodeRegistry>[] = [
  {
    id: 'NR-3.1',
    kind: 'plain',
    title: 'a live node whose entry cannot be decoded is shown by its id, beside all others',
    hint: 'keep the id as the key of the entry; decodeNodeEntry of the codec returns the node, or its id and why it cannot be read',
    notShown,
    run: async ({ port, peer, inject }) => {
      const clients = [['the first client', port] as const, ['another client', await peer()] as const]
      const [spoilt, ...others] = ['a', 'b', 'c'].map((nodeId) => nodeWith({ nodeId, name: nodeId }))
      for (const node of [spoilt, ...others]) if (node !== undefined) await port.renew(node, longTtlMs)
      await inject?.(cutOff, 'a')
      for (const [name, client] of clients) {
        const live = await liveOn(client)
        checkNamed(
          live.find(({ nodeId }) => nodeId === 'a'),
          'a',
          name,
        )
        same(
          live.filter(({ nodeId }) => nodeId !== 'a'),
          others,
          `the live nodes that ${name} sees beside the one that cannot be decoded`,
        )
      }
    },
  },
  {
    id: 'NR-3.2',
    kind: 'plain',
    title: 'an entry that cannot be decoded ends like any other: by the next renewal, by leaving, by its time to live',
    hint: 'neither of them may need the entry: keep its id and its time to live beside it',
    notShown,
    run: async ({ port, peer, inject, waitUntil }) => {
      const other = await peer()
      for (const nodeId of ['leaves', 'renews']) await port.renew(nodeWith({ nodeId, name: nodeId }), longTtlMs)
      for (const nodeId of ['leaves', 'renews']) await inject?.(cutOff, nodeId)
      await other.leave('leaves')
      await port.renew(nodeWith({ nodeId: 'renews', name: 'renews' }), longTtlMs)
      for (const client of [port, other]) {
        const live = await liveOn(client)
        same(idsOf(live), ['renews'], 'the ids of the live nodes after one left and the other renewed')
        same(live.filter(isUnreadableNode), [], 'the nodes whose entries cannot be decoded, after the only one renewed')
      }

      await port.renew(nodeWith({ nodeId: 'expires' }), shortTtlMs(port))
      await inject?.(cutOff, 'expires')
      await waitUntil(
        'a node whose entry cannot be decoded is gone, because its time to live is over',
        async () => !idsOf(await port.live()).includes('expires'),
      )
    },
  },
]
