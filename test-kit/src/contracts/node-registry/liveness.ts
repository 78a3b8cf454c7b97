import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeRegistry } from '@taskledger/core/ports'
import type { Rule, RuleContext } from '../../framework/rule.ts'
import { holds, same } from '../expectations.ts'
import { idsOf, liveOn, longTtlMs, nodeWith, renewNow, shortTtlMs } from './sample-nodes.ts'

/** By how much the clock of an engine and the clock of the rule may drift apart while a node lives, in milliseconds. */
const tickMs = 5

/**
 * Looks at the node until it is gone, and compares each look with the clock. A slow machine makes looks rarer, but never wrong: a missing node
 * is early only if its time was not over when the look *ended*, and a listed node is late only if its time was over when the look *began*.
 *
 * @param renewed When the latest `renew` was called, and when it resolved.
 */
const watchUntilGone = async (
  { port, observe }: RuleContext<NodeRegistry>,
  nodeId: string,
  ttlMs: number,
  renewed: { readonly called: number; readonly resolved: number },
): Promise<void> => {
  const { ttlGranularityMs } = port.capabilities
  const looks: { beganMs: number; endedMs: number; there: boolean }[] = []
  observe(looks)
  for (;;) {
    const began = Date.now()
    const there = idsOf(await port.live()).includes(nodeId)
    const ended = Date.now()
    looks.push({ beganMs: began - renewed.called, endedMs: ended - renewed.called, there })
    if (!there) {
      const early = renewed.called + ttlMs - ttlGranularityMs - ended
      holds(early <= 0, `the node ${nodeId} had ${ttlMs} ms to live and was gone ${early} ms before that`)
      return
    }
    const lateMs = began - renewed.resolved - ttlMs
    holds(
      lateMs <= ttlGranularityMs + tickMs,
      `the node ${nodeId} had ${ttlMs} ms to live and was still there ${lateMs} ms after that; ttlGranularityMs is ${ttlGranularityMs}`,
    )
    await sleep(ttlMs / 10)
  }
}

export const livenessRules: readonly Rule<NodeRegistry>[] = [
  {
    id: 'NR-1.1',
    kind: 'plain',
    title: 'a node that renews is live for every client, with the data of its latest renewal',
    hint: 'replace the whole row of the node with every renewal',
    run: async ({ port, peer }) => {
      const other = await peer()
      same(await other.live(), [], 'the live nodes before any has renewed')
      const first = nodeWith({ running: 3, queues: { default: 4, mailboxes: 1 }, delivered: { default: 17, mailboxes: 4 } })
      const later = nodeWith({ running: 1, queues: { default: 2 }, delivered: { default: 18 }, beat: 5, blocked: { default: 1 } })
      for (const node of [first, later, nodeWith()]) {
        await port.renew(node, longTtlMs)
        same(await port.live(), [node], 'the live nodes after a renewal, on the client that renewed')
        same(await other.live(), [node], 'the live nodes after a renewal, on another client')
      }
    },
  },
  {
    id: 'NR-1.2',
    kind: 'plain',
    title: 'a node disappears when its time to live is over, and not before',
    hint: 'an engine that counts whole seconds rounds up and declares it in ttlGranularityMs; the time counts from the renewal',
    run: async (context) => {
      const { port } = context
      const ttlMs = shortTtlMs(port)
      await watchUntilGone(context, 'worker-1', ttlMs, await renewNow(port, 'worker-1', ttlMs))
      same(await port.live(), [], 'the live nodes after the only one expired')
    },
  },
  {
    id: 'NR-1.3',
    kind: 'plain',
    title: 'a node that leaves is gone at once for every client, and may come back',
    hint: 'do not wait for the time to live; leaving twice, or without a renewal before, is not an error',
    run: async ({ port, peer }) => {
      const other = await peer()
      const [leaver, stayer] = [nodeWith({ nodeId: 'leaver' }), nodeWith({ nodeId: 'stayer' })]
      for (const node of [leaver, stayer]) await port.renew(node, longTtlMs)
      await port.leave(leaver.nodeId)
      for (const client of [port, other]) same(await client.live(), [stayer], 'the live nodes after one of two has left')
      await other.leave(leaver.nodeId)
      await other.leave('never-there')
      await port.renew(leaver, longTtlMs)
      for (const client of [port, other]) same(await liveOn(client), [leaver, stayer], 'the live nodes after the one that left came back')
    },
  },
  {
    id: 'NR-1.4',
    kind: 'race',
    title: 'nodes do not affect one another by renewing, leaving or expiring, even with the same name',
    hint: 'store one row for each node id, with a time to live of its own',
    run: async (context) => {
      const { port, peer, random } = context
      const clients = [port, await peer(), await peer()] as const
      const clientOf = (number: number): NodeRegistry => clients[number % clients.length] ?? port
      const nodes = Array.from({ length: 30 }, (_, index) => nodeWith({ nodeId: `node-${10 + index}`, running: index }))
      await Promise.all([...nodes, ...nodes].map((node) => clientOf(Math.floor(random() * clients.length)).renew(node, longTtlMs)))
      for (const client of clients) same(await liveOn(client), nodes, 'the live nodes after 30 renewed at once, twice each')

      const [leaving, staying] = [nodes.slice(0, 10), nodes.slice(10)]
      await Promise.all([
        ...staying.map((node, index) => clientOf(index).renew(node, longTtlMs)),
        ...leaving.map(({ nodeId }, index) => clientOf(index).leave(nodeId)),
      ])
      for (const client of clients) same(await liveOn(client), staying, 'the live nodes after 10 of 30 left while the others renewed')

      const ttlMs = shortTtlMs(port)
      const renewed = await renewNow(port, 'short-lived', ttlMs)
      const [neighbour] = staying
      if (neighbour !== undefined) await clientOf(1).renew(neighbour, longTtlMs)
      await watchUntilGone(context, 'short-lived', ttlMs, renewed)
      for (const client of clients) same(await liveOn(client), staying, 'the live nodes after another node expired')
    },
  },
  {
    id: 'NR-1.5',
    kind: 'plain',
    title: 'every renewal starts the time to live anew, whether it is longer or shorter than before',
    hint: 'only the latest renewal counts',
    run: async (context) => {
      const { port } = context
      const ttlMs = shortTtlMs(port)
      await port.renew(nodeWith({ nodeId: 'shortened' }), longTtlMs)
      await watchUntilGone(context, 'shortened', ttlMs, await renewNow(port, 'shortened', ttlMs))

      const lengthened = nodeWith({ nodeId: 'lengthened' })
      await port.renew(lengthened, ttlMs)
      await port.renew(lengthened, longTtlMs)
      // Until the first renewal would have expired by itself.
      await sleep(ttlMs + port.capabilities.ttlGranularityMs + tickMs)
      same(await port.live(), [lengthened], 'the live nodes when the first, shorter time of a node is over')
    },
  },
]
