import type { Bench, Program } from '../bench.ts'
import { liveLikeJames } from '../floors/james-like.ts'
import { endAll, machineMs } from '../nodes/child.ts'
import { openManager } from '../nodes/open-manager.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import { clientOf } from '../platforms/endpoints.ts'
import type { Node } from '../platforms/platform.ts'
import type { Figure } from '../report/figures.ts'
import { percentiles } from '../report/figures.ts'
import { aimsOnServers, warmUpNode } from './idle-cluster.ts'

/** From the call of `submit` in one node to the result in another. The task runs in a third node. */
export const latency: Program = {
  about: 'submit in one node to the result in another, run in a third; one task at a time',
  on: ['memory', 'servers'],
  async run(bench): Promise<readonly Figure[]> {
    const { platform, scale } = bench
    const prefix = freshPrefix()
    const children = await platform.startNodes({ prefix, nodes: { submitter: 0, worker: 4 } })
    const [submitter] = children as readonly [Node, Node]
    const awaiter = await openManager({ target: platform.target, prefix, name: 'awaiter', slots: 0 })
    try {
      await warmUpNode(submitter, scale)
      const [results, acknowledged]: readonly [number[], number[]] = [[], []]
      const count = Math.ceil(400 * scale)
      for (let index = -count / 2; index < count; index++) {
        const { taskId, at } = await submitter.call('submit', 'noop')
        if (index >= 0) acknowledged.push(machineMs() - at)
        await awaiter.task(taskId).result()
        if (index >= 0) results.push(machineMs() - at)
      }
      return [
        ...percentiles('submit to result elsewhere', results, aimsOnServers(bench, ['under 8.6 (James)', 'under 19 (James)'])),
        ...percentiles('submit to its acknowledgement, as another node hears it', acknowledged),
        ...(await jamesLatency(bench, count)),
      ]
    } finally {
      await awaiter.close()
      await endAll(children)
    }
  },
}

/** The same for a James-like life, where there are servers. */
const jamesLatency = async ({ platform }: Bench, count: number): Promise<readonly Figure[]> => {
  if (platform.servers === undefined) return []
  const client = clientOf(platform.servers.endpoints)
  try {
    const times: number[] = []
    for (let index = -count / 4; index < count / 2; index++) {
      const at = machineMs()
      await liveLikeJames(client)
      if (index >= 0) times.push(machineMs() - at)
    }
    return percentiles('a James-like life, store alone', times)
  } finally {
    await client.shutdown()
  }
}
