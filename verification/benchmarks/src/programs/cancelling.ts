import type { Program } from '../bench.ts'
import { endAll, machineMs } from '../nodes/child.ts'
import type { Report } from '../nodes/commands.ts'
import { openManager } from '../nodes/open-manager.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import type { Node } from '../platforms/platform.ts'
import type { Figure } from '../report/figures.ts'
import { percentiles } from '../report/figures.ts'
import { aimsOnServers, warmUpNode } from './idle-cluster.ts'

/** Waits for a message of one node about its task. */
const heard = (node: Node, type: Report['type']): Promise<Report> =>
  new Promise((resolve) => node.hear((report) => report.type === type && resolve(report)))

/** From the call of `cancel` in one node to the aborted signal of a body in another. */
export const cancelling: Program = {
  about: 'cancel in one node to the aborted signal in another; one task at a time',
  on: ['memory', 'servers'],
  async run(bench): Promise<readonly Figure[]> {
    const { platform, scale } = bench
    const prefix = freshPrefix()
    const children = await platform.startNodes({ prefix, nodes: { submitter: 0, worker: 4 } })
    const [submitter, worker] = children as readonly [Node, Node]
    const canceller = await openManager({ target: platform.target, prefix, name: 'canceller', slots: 0 })
    try {
      await warmUpNode(submitter, scale)
      const [signals, calls, ends]: readonly [number[], number[], number[]] = [[], [], []]
      const count = Math.ceil(200 * scale)
      for (let index = -count / 2; index < count; index++) {
        const running = heard(worker, 'running')
        const { taskId } = await submitter.call('submit', 'hang')
        await running
        const aborted = heard(worker, 'aborted')
        const handle = canceller.task(taskId)
        const at = machineMs()
        await handle.cancel()
        const called = machineMs() - at
        const finished = handle.finished()
        const signalled = (await aborted).at - at
        await finished
        const ended = machineMs() - at
        if (index < 0) continue
        calls.push(called)
        signals.push(signalled)
        ends.push(ended)
      }
      return [
        ...percentiles('cancel to signal elsewhere', signals, aimsOnServers(bench, ['under 4.5 (James)', 'under 27 (James)'])),
        ...percentiles('the call of cancel', calls),
        ...percentiles('cancel to its end seen', ends),
      ]
    } finally {
      await canceller.close()
      await endAll(children)
    }
  },
}
