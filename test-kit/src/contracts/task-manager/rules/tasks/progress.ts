import type { JsonValue } from '@taskledger/core'
import { codeOf, defineTask } from '@taskledger/core'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { outcomeOf } from '../../../outcome.ts'
import { same } from '../../../expectations.ts'

/** Rules 1.x, continued: progress. */
export const progressRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-1.11',
    kind: 'plain',
    title: 'progress is visible while the body runs, the latest report on every node and in the list, and adds nothing to the history',
    hint: 'publish a notice after saveProgress; merge the progress into what is read, and append no event',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const nodes = await cluster.nodes(2, { tasks: [held.task] })
      const [handle, run] = await cluster.start(nodes[0], held)
      const isSeen = async (value: number): Promise<boolean> => {
        for (const node of nodes) {
          const ofHandle = await node.manager.task(handle.id).progress()
          const [row] = await cluster.listed(node)
          const wanted = JSON.stringify({ done: value })
          if (JSON.stringify(ofHandle) !== wanted || JSON.stringify(row?.progress?.value) !== wanted) return false
        }
        return true
      }
      same((await handle.details()).progress, undefined, 'the progress before the first report')
      run.progress({ done: 1 })
      await waitUntil('the first report is seen on both nodes', () => isSeen(1))
      for (let done = 2; done <= 100; done++) run.progress({ done })
      await waitUntil('the latest report is seen on both nodes', () => isSeen(100))
      const { status, version, progress } = await handle.details()
      same([status, version, progress?.attempt], ['inProgress', 2, 1], 'status and version of the task, and the attempt of its progress')
    },
  }),
  clustered({
    id: 'TM-1.12',
    kind: 'plain',
    title: 'the last progress is part of the end of the task, on every node, whether the task completed, failed or was cancelled',
    hint: 'put the progress into the final event: a reader of the row may be faster than the last report',
    run: async (cluster) => {
      const held = cluster.held()
      const [a, b] = await cluster.nodes(2, { tasks: [held.task] })
      const endings = ['completed', 'failed', 'cancelled'] as const
      for (const ending of endings) {
        const [handle, run] = await cluster.start(a, held)
        for (let done = 1; done <= 3; done++) run.progress({ done })
        if (ending === 'completed') run.return()
        else if (ending === 'failed') run.throw(new Error('no'))
        else await handle.cancel()
        for (const node of [a, b]) {
          const details = await cluster.finished(handle, node)
          const { status, progress } = details
          same(
            [status, progress?.value, progress?.attempt, progress?.sequence],
            [ending, { done: 3 }, 1, 3],
            'the status of the task, and value, attempt and sequence of its progress',
          )
          await cluster.rowIs(details, node)
        }
      }
    },
  }),
  clustered({
    id: 'TM-1.13',
    kind: 'plain',
    title: 'a report of progress that cannot be stored throws in the body, and a body that catches the error ends as it otherwise would',
    hint: 'throw from the report; change nothing else',
    run: async (cluster) => {
      const refusals: unknown[] = []
      const held = cluster.held()
      const node = await cluster.node({ tasks: [held.task] })
      for (const ending of ['completed', 'failed', 'cancelled'] as const) {
        const [handle, run] = await cluster.start(node, held)
        run.progress('kept')
        for (const value of [1n, () => {}, 'x'.repeat(2 ** 21)] as readonly unknown[] as readonly JsonValue[])
          refusals.push(codeOf(await outcomeOf((async () => run.progress(value))())))
        if (ending === 'completed') run.return()
        else if (ending === 'failed') run.throw(new Error('no'))
        else await handle.cancel()
        const details = await cluster.finished(handle, node)
        same([details.status, details.progress?.value], [ending, 'kept'], 'status and progress of the task')
      }
      same(
        refusals,
        ['NOT_JSON', 'NOT_JSON', 'TOO_LARGE', 'NOT_JSON', 'NOT_JSON', 'TOO_LARGE', 'NOT_JSON', 'NOT_JSON', 'TOO_LARGE'],
        'the codes of the refused reports',
      )
    },
  }),
  clustered({
    id: 'TM-1.14',
    kind: 'plain',
    title: 'a store that refuses progress does not harm the task: it ends as it otherwise would, with its last report',
    hint: 'a report that cannot be saved must not fail the body',
    run: async (cluster, { within }) => {
      const reporting = defineTask({
        type: 'reporting',
        run: async ({ progress }) => {
          for (let done = 1; done <= 3; done++) {
            progress({ done })
            await new Promise((resolve) => setTimeout(resolve, 12))
          }
          return 'done'
        },
      })
      const { manager, faults } = await cluster.node({ tasks: [reporting] })
      faults.fail('before', ({ name }) => name === 'listing.saveProgress')
      const handle = await manager.submit(reporting)
      same(await within('the task ended', handle.result()), 'done', 'the result of the task')
      same((await handle.details()).progress?.value, { done: 3 }, 'the last progress')
    },
  }),
]
