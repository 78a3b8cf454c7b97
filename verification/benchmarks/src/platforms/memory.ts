import process from 'node:process'
import { memoryFloor } from '../floors/memory-floor.ts'
import { startInProcess } from '../nodes/child.ts'
import type { NodeCommands, Report } from '../nodes/commands.ts'
import { serveNode } from '../nodes/commands.ts'
import type { Platform } from './platform.ts'

/** The memory adapters: every node is in this process. */
export const memoryPlatform: Platform = {
  name: 'memory',
  about: `the memory adapters; Node ${process.version}`,
  facts: {},
  target: { type: 'memory' },
  async startNodes({ prefix, nodes, isUnguarded = false }) {
    const children = Object.entries(nodes).map(([name, slots]) =>
      startInProcess<NodeCommands, Report>((send) =>
        serveNode({ target: { type: 'memory' }, prefix, name, slots, isUnguarded, isCounting: false }, send),
      ),
    )
    await Promise.all(children.map((child) => child.call('open')))
    return children
  },
  startFloor: async () => [startInProcess(memoryFloor)],
  logOf: () => undefined,
  close: async () => {},
}
