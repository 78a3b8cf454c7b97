import type { World } from '../world/world.ts'
import type { BrokenPromise } from './promises.ts'
import type { Observed } from './stored.ts'

/** Within this time after the later of two nodes has started, both tell that they are apart: two renewals, in milliseconds. */
const tellMs = 2 * 5_000

/** Checks what nodes tell of nodes that share only storage or only messaging with them. */
export function* checkApart({ world, cluster }: Observed): Iterable<BrokenPromise> {
  const { misplaced } = world.plan
  const isMisplaced = (nodeId: string): boolean => misplaced !== undefined && nodeId.startsWith(`${misplaced.node}-`)
  for (const { by, nodes, atMs } of world.apart)
    for (const nodeId of nodes)
      if (isMisplaced(`${by}-`) === isMisplaced(nodeId))
        yield { promise: 'apart', detail: `${by} told at ${atMs} ms that ${nodeId} is apart, which shares storage and messaging with it` }
  if (misplaced === undefined) return
  yield* checkSoon(world, misplaced.node)
  const managers = cluster.current.flatMap(({ manager }) => (manager === undefined ? [] : [manager]))
  for (const manager of managers)
    for (const { nodeId } of managers) {
      if (isMisplaced(manager.nodeId) === isMisplaced(nodeId)) continue
      if (!manager.health().apart.some((node) => node.nodeId === nodeId && node.lacks === misplaced.lacks))
        yield { promise: 'apart', detail: `${manager.nodeId} does not tell that ${nodeId} lacks its ${misplaced.lacks}` }
    }
}

/** Checks that nodes which nothing disturbs tell in time that one of them is misplaced. */
function* checkSoon({ plan, apart, time }: World, misplaced: string): Iterable<BrokenPromise> {
  // Wrong wall clocks do not matter.
  const disturbedMs = Math.min(
    ...plan.faults.map((fault) => (fault.type === 'skew' ? Infinity : fault.type === 'call' ? 0 : fault.atMs)),
    time.elapsed(),
  )
  const startOf = (node: string): number => plan.starts[node] ?? Infinity
  for (const other of Object.keys(plan.starts).filter((node) => node !== misplaced)) {
    const dueMs = Math.max(startOf(other), startOf(misplaced)) + tellMs
    if (dueMs > disturbedMs) continue
    for (const [by, node] of [
      [other, misplaced],
      [misplaced, other],
    ] as const)
      if (!apart.some((told) => told.by === by && told.atMs <= dueMs && told.nodes.some((nodeId) => nodeId.startsWith(`${node}-`))))
        yield { promise: 'apart', detail: `${by} does not tell within ${tellMs} ms, by ${dueMs} ms, that ${node} is apart` }
  }
}
