import type { CancelOutcome, TaskDetails, TaskEvent, TaskHandle } from '@taskledger/core'
import { isFinalEvent, isFinalStatus } from '@taskledger/core/ports'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import type { Cluster } from '../../../../faults/cluster.ts'
import type { ClusterNode } from '../../../../faults/cluster-node.ts'
import { clustered } from '../../stage/clustered.ts'
import { jitterFor } from '../../stage/jitter.ts'
import { runRounds } from '../../stage/rounds.ts'
import { holds, same } from '../../../expectations.ts'

const rounds = 200

/** How many rounds run at a time. */
const atATime = 10

/** Checks that the caller was told how the task ended. */
const assertTruth = ({ outcome, details }: CancelOutcome, history: readonly TaskEvent[], end: TaskDetails): void => {
  same(history.filter(isFinalEvent).length, 1, 'the number of final events in the history')
  const requests = history.filter(({ type }) => type === 'TaskCancelRequested').length
  const isRequested = outcome !== 'finished'
  same(requests, isRequested ? 1 : 0, `the number of cancel requests in the history, of a caller who was told "${outcome}"`)
  if (outcome === 'finished') same(details, end, 'the details of a caller who was told that the task had finished')
  if (outcome === 'cancelled') same(end.status, 'cancelled', 'the status of a task whose caller was told that it is cancelled')
}

/** Checks that every node says the same of the end. */
const endOf = async (cluster: Cluster, nodes: readonly ClusterNode[], taskId: TaskEvent['taskId']): Promise<TaskDetails> => {
  const ends = await Promise.all(nodes.map((node) => cluster.finished({ id: taskId }, node)))
  const [end, ...others] = ends
  holds(end !== undefined && isFinalStatus(end.status), 'the task has not ended')
  for (const other of others) same(other, end, 'the end of the task, as another node tells it')
  return end
}

/** Rules 2.x, continued: races against a cancel request. */
export const cancelRaces: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-2.9',
    kind: 'race',
    title: `a cancellation races a completion ${rounds} times: there is one final event, it says what the body did, and the caller is told the truth`,
    hint: 'the second append meets a conflict: read the new events, and decide again',
    run: async (cluster, { random, observe }) => {
      const held = cluster.held()
      const nodes = await cluster.nodes(2, { tasks: [held.task], worker: { slots: atATime } })
      const [worker, other] = nodes
      const jitter = await jitterFor(async () => {
        const [handle, run] = await cluster.start(worker, held)
        run.return()
        await cluster.finished(handle, other)
      })
      const counts: Record<string, number> = {}
      await runRounds(rounds, atATime, async (round) => {
        const [handle, run] = await cluster.start(worker, held, round)
        const canceller = other.manager.task(handle.id)
        const [outcome] = await Promise.all([jitter(random).then(() => canceller.cancel()), jitter(random).then(() => run.return(round))])
        const end = await endOf(cluster, nodes, handle.id)
        const history = await handle.history()
        observe({ round, outcome, history })
        assertTruth(outcome, history, end)
        same(end.status, run.ended === 'returned' ? 'completed' : 'cancelled', `the status of a task whose body ${run.ended}`)
        if (end.status === 'completed') same(end.result, round, 'the result of a task that completed before the cancel')
        const key = `${outcome.outcome}, ${end.status}`
        counts[key] = (counts[key] ?? 0) + 1
      })
      observe(counts)
    },
  }),
  clustered({
    id: 'TM-2.10',
    kind: 'race',
    title: `a cancellation races a claim ${rounds} times: a task reported as cancelled never ran, and a task reported as requested had its signal aborted`,
    hint: 'TaskStarted and the cancellation of a waiting task have the same version: one of them meets a conflict',
    run: async (cluster, { random, observe, waitUntil }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task], worker: { slots: atATime } })
      const front = await cluster.node({ tasks: [held.task], worker: false })
      const nodes = [worker, front]
      const jitter = await jitterFor(async () => {
        const [handle] = await cluster.start(front, held)
        await handle.cancel()
        await cluster.finished(handle, front)
      })
      const lookAt = async (handle: TaskHandle<unknown, unknown>, outcome: CancelOutcome): Promise<void> => {
        const end = await endOf(cluster, nodes, handle.id)
        const history = await handle.history()
        observe({ outcome, history })
        assertTruth(outcome, history, end)
        same(end.status, 'cancelled', 'the status of a task that was cancelled while it began')
        const wasStarted = history.some(({ type }) => type === 'TaskStarted')
        same(outcome.outcome, wasStarted ? 'requested' : 'cancelled', 'the outcome of a cancel while the task began')
        const run = held.find(handle.id)
        // A task that was cancelled before its body began never runs.
        if (run === undefined) return
        holds(wasStarted, 'a task ran that was never started')
        await waitUntil('the signal of the body is aborted', () => run.signal.aborted)
        same(run.ended, 'aborted', 'how the body of a cancelled task ended')
      }
      for (let round = 0; round < rounds; round += atATime) {
        worker.manager.worker?.pause()
        const handles = await front.manager.submitMany(
          held.task,
          Array.from({ length: atATime }, (_, lane) => round + lane),
        )
        const [outcomes] = await Promise.all([
          Promise.all(handles.map((handle) => jitter(random).then(() => handle.cancel()))),
          jitter(random).then(() => worker.manager.worker?.resume()),
        ])
        await Promise.all(outcomes.map((outcome, lane) => lookAt(handles[lane] ?? front.manager.task(''), outcome)))
      }
    },
  }),
  clustered({
    id: 'TM-2.11',
    kind: 'race',
    title:
      'many callers cancel one running task at once, from every node: there is one request and one end, and each caller is told the truth',
    hint: 'accept a second request, and append nothing for it',
    run: async (cluster, { random, observe, within }) => {
      const held = cluster.held()
      const nodes = await cluster.nodes(3, { tasks: [held.task] })
      const jitter = await jitterFor(async () => (await cluster.start(nodes[0], held))[0].cancel())
      await runRounds(20, 4, async (round) => {
        const [handle] = await cluster.start(nodes[0], held, round)
        const cancels = Array.from({ length: 12 }, async (_, index) => {
          await jitter(random)
          return (nodes[index % 3] ?? nodes[0]).manager.task(handle.id).cancel({ reason: `by ${index}` })
        })
        const outcomes = await within('every call returned', Promise.all(cancels))
        const end = await endOf(cluster, nodes, handle.id)
        const history = await handle.history()
        observe({ round, outcomes: outcomes.map(({ outcome }) => outcome), history })
        for (const outcome of outcomes) assertTruth(outcome, history, end)
        same(end.status, 'cancelled', 'the status of a task that several callers cancelled')
      })
    },
  }),
]
