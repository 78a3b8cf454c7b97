import { quantile } from '../../figures.ts'
import type { Bench, EngineFigure, NodeChild, Program } from '../bench.ts'
import { endAll, freshPrefix, startNodes } from '../bench.ts'
import { clientOf } from '../engines.ts'
import { liveLikeJames } from '../floors/james-like.ts'
import type { Told } from '../node.ts'
import { openManager } from '../node.ts'
import { machineMs } from '../rpc.ts'

const quantiles = (name: string, samples: readonly number[], aims: readonly [string, string] | undefined): readonly EngineFigure[] => [
  { name: `${name}, p50`, value: quantile(samples, 0.5), unit: 'ms', ...(aims === undefined ? {} : { aim: aims[0] }) },
  { name: `${name}, p99`, value: quantile(samples, 0.99), unit: 'ms', ...(aims === undefined ? {} : { aim: aims[1] }) },
]

/** So many tasks first, since processes are compiled while they run. */
const warmUpTasks = 10_000

const warm = async (submitter: NodeChild, { scale }: Bench): Promise<void> => {
  await submitter.call('burst', { count: Math.ceil(warmUpTasks * scale), atOnce: 16, awaits: 'each' })
}

/** Waits for what a child says of one task. */
const told = (child: NodeChild, type: Told['type']): Promise<Told> =>
  new Promise((resolve) => child.hear((news) => news.type === type && resolve(news)))

/** From the call of `submit` in one process to the result in another; the task runs in a third. */
export const latency: Program = {
  about: 'submit in one process to the result in another, run in a third; one at a time',
  async run(bench): Promise<readonly EngineFigure[]> {
    const prefix = freshPrefix()
    const children = await startNodes(bench, { prefix, nodes: { submitter: 0, worker: 4 } })
    const [submitter] = children as readonly [NodeChild, NodeChild]
    const here = await openManager({ engines: bench.engines, prefix, name: 'awaiter', slots: 0 })
    const client = clientOf(bench.engines)
    try {
      await warm(submitter, bench)
      const [samples, acknowledged, james]: readonly [number[], number[], number[]] = [[], [], []]
      const count = Math.ceil(400 * bench.scale)
      for (let index = -count / 2; index < count; index++) {
        const { taskId, at } = await submitter.call('submit', 'noop')
        if (index >= 0) acknowledged.push(machineMs() - at)
        await here.task(taskId).result()
        if (index >= 0) samples.push(machineMs() - at)
      }
      for (let index = -count / 4; index < count / 2; index++) {
        const at = machineMs()
        await liveLikeJames(client)
        if (index >= 0) james.push(machineMs() - at)
      }
      return [
        ...quantiles('submit to result elsewhere', samples, ['under 8.6 (James)', 'under 19 (James)']),
        ...quantiles('submit to its acknowledgement, told to another process', acknowledged, undefined),
        ...quantiles('a James-like life, store alone', james, undefined),
      ]
    } finally {
      await here.close()
      await endAll(children)
      await client.shutdown()
    }
  },
}

/** From the call of `cancel` in one process to the aborted signal of a body in another. */
export const cancelling: Program = {
  about: 'cancel in one process to the aborted signal in another; one at a time',
  async run(bench: Bench): Promise<readonly EngineFigure[]> {
    const prefix = freshPrefix()
    const children = await startNodes(bench, { prefix, nodes: { submitter: 0, worker: 4 } })
    const [submitter, worker] = children as readonly [NodeChild, NodeChild]
    const here = await openManager({ engines: bench.engines, prefix, name: 'canceller', slots: 0 })
    try {
      await warm(submitter, bench)
      const [signals, calls, ends]: readonly [number[], number[], number[]] = [[], [], []]
      const count = Math.ceil(200 * bench.scale)
      for (let index = -count / 2; index < count; index++) {
        const running = told(worker, 'running')
        const { taskId } = await submitter.call('submit', 'hang')
        await running
        const aborted = told(worker, 'aborted')
        const handle = here.task(taskId)
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
        ...quantiles('cancel to signal elsewhere', signals, ['under 4.5 (James)', 'under 27 (James)']),
        ...quantiles('the call of cancel', calls, undefined),
        ...quantiles('cancel to its end seen', ends, undefined),
      ]
    } finally {
      await here.close()
      await endAll(children)
    }
  },
}
