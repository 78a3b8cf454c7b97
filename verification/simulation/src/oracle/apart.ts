import type { BrokenPromise } from './promises.ts'
import type { Observed } from './stored.ts'

/** Checks what nodes tell of nodes that share only storage or only messaging with them. */
export function* checkApart({ world, cluster }: Observed): Iterable<BrokenPromise> {
  const { misplaced } = world.plan
  const isMisplaced = (nodeId: string): boolean => misplaced !== undefined && nodeId.startsWith(`${misplaced.node}-`)
  for (const { by, nodes, atMs } of world.apart)
    for (const nodeId of nodes)
      if (isMisplaced(`${by}-`) === isMisplaced(nodeId))
        yield { promise: 'apart', detail: `${by} told at ${atMs} ms that ${nodeId} is apart, which shares storage and messaging with it` }
  if (misplaced === undefined) return
  const managers = cluster.current.flatMap(({ manager }) => (manager === undefined ? [] : [manager]))
  for (const manager of managers)
    for (const { nodeId } of managers) {
      if (isMisplaced(manager.nodeId) === isMisplaced(nodeId)) continue
      if (!manager.health().apart.some((node) => node.nodeId === nodeId && node.lacks === misplaced.lacks))
        yield { promise: 'apart', detail: `${manager.nodeId} does not tell that ${nodeId} lacks its ${misplaced.lacks}` }
    }
}
