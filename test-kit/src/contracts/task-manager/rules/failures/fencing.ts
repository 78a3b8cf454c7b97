import type { TaskHandle } from '@taskledger/core'
import { codeOf } from '@taskledger/core'
import type { Rule, RuleContext } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import type { Cluster } from '../../../../faults/cluster.ts'
import type { ClusterNode } from '../../../../faults/cluster-node.ts'
import { clustered } from '../../stage/clustered.ts'
import type { HeldRun, HeldTask } from '../../../../faults/held-task.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { appendedBy, appendsOf } from '../../../../faults/calls.ts'
import { holds, same } from '../../../expectations.ts'

interface Zombie {
  readonly handle: TaskHandle<unknown, unknown>
  /** The run whose attempt was ended by another node. */
  readonly run: HeldRun
  /** The run of the next attempt. */
  readonly next: HeldRun
}

/** Starts a task on `dying`, ends its attempt in the store while that node goes on, and lets the task run again on `heir`. */
const makeZombie = async (cluster: Cluster, held: HeldTask, dying: ClusterNode, heir: ClusterNode): Promise<Zombie> => {
  heir.manager.worker?.pause()
  dying.manager.worker?.resume()
  const [handle, run] = await cluster.start(dying, held)
  run.progress('as far as it got')
  const isSaved = async (): Promise<boolean> => (await handle.progress()) !== undefined
  await cluster.until('its progress is saved', isSaved)
  dying.faults.dropsNotice = () => true
  if (heir !== dying) dying.manager.worker?.pause()
  const died = await cluster.write(handle.id, { type: 'TaskDied', attempt: 1, diedOn: dying.manager.nodeId, retryAt: Date.now() })
  await cluster.send({ taskId: handle.id, version: died.version })
  heir.manager.worker?.resume()
  const next = await cluster.running(handle, 2)
  return { handle, run, next }
}

const endedOn = ({ waitUntil }: RuleContext<Adapters>, { manager }: ClusterNode, count: number): Promise<void> =>
  waitUntil(`${count} attempts run on ${manager.nodeId}`, () => manager.worker?.running.length === count)

/** Rules 5.x, continued: only the current attempt settles anything. */
export const fencingRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-5.7',
    kind: 'fault',
    title: 'a zombie settles nothing: whatever the body of an attempt does that was ended elsewhere, the task continues unchanged',
    hint: 'refuse a command of any attempt but the current one as stale',
    run: async (cluster, context) => {
      const held = cluster.held({ heeds: false, retry: { maxAttempts: 3 } })
      const [dying, heir] = await cluster.nodes(2, { tasks: [held.task], worker: { slots: 2 } })
      for (const ending of ['returns', 'throws', 'returns late'] as const) {
        const { handle, run, next } = await makeZombie(cluster, held, dying, heir)
        same([next.attempt, next.lastProgress], [2, 'as far as it got'], 'attempt and last progress of the run on the heir')
        if (ending === 'returns late') {
          next.return('the heir')
          await cluster.finished(handle, heir)
        }
        const before = await handle.history()
        if (ending === 'throws') run.throw(new Error('too late'))
        else run.return('too late')
        await endedOn(context, dying, 0)
        same(await handle.history(), before, 'the history after the zombie ended its attempt')
        if (ending !== 'returns late') {
          same((await handle.details()).status, 'inProgress', 'the status of the task while the heir runs it')
          next.return('the heir')
        }
        dying.faults.dropsNotice = () => false
        const { status, result, attempt } = await cluster.finished(handle, heir)
        same([status, result, attempt], ['completed', 'the heir', 2], 'status, result and attempt of the task')
      }
    },
  }),
  clustered({
    id: 'TM-5.8',
    kind: 'fault',
    title: 'a zombie is told when its node reads the history again: its signal is aborted as lost, and the current attempt is left alone',
    hint: 'after a gap, read every running task: another attempt in its history means that this one is lost',
    run: async (cluster, context) => {
      const held = cluster.held()
      const [dying, heir] = await cluster.nodes(2, { tasks: [held.task], worker: { slots: 2 } })
      const { handle, run, next } = await makeZombie(cluster, held, dying, heir)
      dying.faults.dropsNotice = () => false
      for (const { faults } of [dying, heir]) faults.gap()
      await context.waitUntil('the signal of the zombie is aborted', () => run.signal.aborted)
      same(codeOf(run.signal.reason), 'ATTEMPT_LOST', 'why the signal of the zombie was aborted')
      await endedOn(context, dying, 0)
      const { status, attempt, node } = await handle.details()
      same([status, attempt, node], ['inProgress', 2, heir.manager.nodeId], 'status, attempt and node of the task')
      same(next.signal.aborted, false, 'whether the signal of the heir is aborted')
      next.return('the heir')
      same((await cluster.finished(handle, dying)).result, 'the heir', 'the result of the task')
    },
  }),
  clustered({
    id: 'TM-5.9',
    kind: 'fault',
    title: 'a zombie whose task runs again on its own node is told so, and neither hides nor disturbs the current attempt',
    hint: 'two attempts of one task on one node are two runs: state kept by task id alone mixes them up',
    run: async (cluster, context) => {
      const held = cluster.held({ heeds: false, retry: { maxAttempts: 3 } })
      const node = await cluster.node({ tasks: [held.task], worker: { slots: 3, cancelGraceMs: 60_000 } })
      const { handle, run, next } = await makeZombie(cluster, held, node, node)
      await context.waitUntil('the signal of the zombie is aborted', () => run.signal.aborted)
      same(codeOf(run.signal.reason), 'ATTEMPT_LOST', 'why the signal of the zombie was aborted')
      node.faults.dropsNotice = () => false
      next.progress('the heir’s')
      run.progress('the zombie’s')
      run.return('too late')
      const [last, lastRun] = await cluster.start(node, held)
      lastRun.return()
      await cluster.finished(last, node)
      await context.waitUntil('the progress is that of the current attempt', async () => (await handle.progress()) === 'the heir’s')
      same(
        [(await handle.details()).status, next.signal.aborted],
        ['inProgress', false],
        'the status of the task, and whether the signal of the heir is aborted',
      )
      await handle.cancel()
      await context.waitUntil('the signal of the current attempt is aborted', () => next.signal.aborted)
      next.throw(next.signal.reason)
      const { status, progress } = await cluster.finished(handle, node)
      same(
        [status, progress?.value, progress?.attempt],
        ['cancelled', 'the heir’s', 2],
        'the status of the task, and value and attempt of its progress',
      )
    },
  }),
  clustered({
    id: 'TM-5.10',
    kind: 'fault',
    title: 'the answer of every append is lost once: each task runs once and ends once, and the callers are told the outcome',
    hint: 'repeat an append of unknown outcome with the same event ids, which the store recognises',
    run: async (cluster, { within }) => {
      const held = cluster.held({ retry: { maxAttempts: 2, backoff: { initialMs: 1 } } })
      const nodes = await cluster.nodes(2, { tasks: [held.task], worker: { slots: 4 } })
      for (const { faults } of nodes) {
        const lost = new Set<string>()
        faults.fail('after', (call) => {
          const [event] = appendedBy(call)
          return event !== undefined && !lost.has(event.eventId) && lost.add(event.eventId).size > 0
        })
      }
      const [a, b] = nodes
      for (let round = 0; round < 5; round++) {
        const [returning, first] = await cluster.start(a, held)
        const [failing, second] = await cluster.start(b, held)
        const [unwanted] = await cluster.start(a, held)
        first.return('once')
        second.throw(new Error('once'))
        ;(await cluster.running(failing, 2)).return('twice')
        const cancelled = await within('the call returned', b.manager.task(unwanted.id).cancel())
        same(cancelled.outcome, 'requested', 'the outcome of the cancel')
        same((await cluster.finished(returning, b)).result, 'once', 'the result of a task that returns')
        same((await cluster.finished(failing, a)).result, 'twice', 'the result of a task that fails once')
        same((await cluster.finished(unwanted, b)).status, 'cancelled', 'the status of a cancelled task')
      }
      same(held.runs.length, 20, 'how many bodies ran')
    },
  }),
  clustered({
    id: 'TM-5.11',
    kind: 'fault',
    title: 'a store that fails at the final append neither loses the end of the task nor stops other tasks',
    hint: 'retry the final append until it is accepted or refused; keep the slot that long, and no other slot',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task, echoTask], worker: { slots: 2 } })
      const front = await cluster.node({ tasks: [held.task, echoTask], worker: false })
      const [handle, run] = await cluster.start(front, held)
      let tries = 0
      const isEnd = appendsOf('TaskCompleted')
      const heal = worker.faults.fail('before', (call) => call.taskId === handle.id && isEnd(call) && ++tries > 0)
      run.return('not lost')
      await waitUntil('the end could not be written', () => tries > 2)
      const other = await front.manager.submit(echoTask, 'meanwhile')
      same((await cluster.finished(other, front)).result, 'meanwhile', 'the result of another task meanwhile')
      same((await handle.details()).status, 'inProgress', 'the status of the task while its end cannot be written')
      heal()
      same((await cluster.finished(handle, front)).result, 'not lost', 'the result of the task whose end was written late')
    },
  }),
  clustered({
    id: 'TM-5.12',
    kind: 'fault',
    title: 'a cancel request during a claim takes effect: by its notice, or after a gap',
    hint: "after a notice with a later version than the claim's, read the history again before the body has gone far",
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task] })
      const front = await cluster.node({ tasks: [held.task], worker: false })
      for (const isHeard of [true, false]) {
        let hasHeard = false
        worker.faults.dropsNotice = () => !isHeard
        const unsubscribe = worker.manager.subscribe(({ type }) => (hasHeard ||= type === 'TaskCancelRequested'))
        const hold = worker.faults.hold('after', appendsOf('TaskStarted'))
        const handle = await front.manager.submit(held.task, null)
        await waitUntil('the claim is under way', () => hold.caught > 0)
        same((await handle.cancel()).outcome, 'requested', 'the outcome of the cancel')
        if (isHeard) await waitUntil('the notice has arrived', () => hasHeard)
        else worker.faults.gap()
        hold.release()
        same((await cluster.finished(handle, front)).status, 'cancelled', 'the status of the cancelled task')
        const run = held.find(handle.id)
        holds(run === undefined || run.ended === 'aborted', `the body of the cancelled task ${run?.ended}`)
        unsubscribe()
      }
    },
  }),
]
