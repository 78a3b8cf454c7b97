import { codeOf } from '@taskledger/core'
import type { TaskId } from '@taskledger/core/ports'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import type { Cluster } from '../../../../faults/cluster.ts'
import type { NodeOptions } from '../../../../faults/cluster-node.ts'
import { clustered } from '../../stage/clustered.ts'
import { calls } from '../../../../faults/calls.ts'
import { holds, same } from '../../../expectations.ts'

/** Short, so that a rule takes seconds; long enough for an engine that counts whole seconds, and for a busy machine. */
const quick = { lease: { renewMs: 500, ttlMs: 3_000 }, janitor: { intervalMs: 200, overdueMs: 500 } } as const

const typesOf = async (cluster: Cluster, { id }: { readonly id: TaskId }): Promise<readonly string[]> => {
  const { storage } = await cluster.outside()
  return (await storage.events.read(id)).map(({ type }) => type)
}

/** Rules 6.x: recovery by the nodes that are left. */
export const recoveryRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-6.1',
    kind: 'fault',
    title: 'a lost message is sent again, and its task runs once',
    hint: 'a task that waits, is due, and was overtaken by its queue has lost its message; an empty queue overtakes all',
    run: async (cluster) => {
      const held = cluster.held()
      const sender = await cluster.node({ ...quick, tasks: [held.task], worker: false })
      sender.faults.copies = 0
      const handle = await sender.manager.submit(held.task, null)
      // The node that lost the message is gone: only the store knows of the task.
      await cluster.kill(sender)
      const worker = await cluster.node({ ...quick, tasks: [held.task] })
      const run = await cluster.running(handle)
      run.return('found')
      same((await cluster.finished(handle, worker)).result, 'found', 'the result of a task whose message was lost')
      same(
        [held.runs.length, await typesOf(cluster, handle)],
        [1, ['TaskCreated', 'TaskStarted', 'TaskCompleted']],
        'how many bodies ran, and the events of the task',
      )
    },
  }),
  clustered({
    id: 'TM-6.2',
    kind: 'fault',
    title: 'a killed node is declared dead and its running tasks run again elsewhere; nothing holds up the tasks that it had not begun',
    hint: 'its lease expires; the node that has the shard of the task appends TaskDied, and sends the task again',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const options: NodeOptions = { ...quick, tasks: [held.task], worker: { slots: 2 } }
      const [doomed, heir] = await cluster.nodes(2, options)
      heir.manager.worker?.pause()
      const [first] = await cluster.start(doomed, held, 1)
      const [second] = await cluster.start(doomed, held, 2)
      const behind = await heir.manager.submit(held.task, 3)
      await cluster.kill(doomed)
      heir.manager.worker?.resume()
      ;(await cluster.running(behind)).return()
      for (const handle of [first, second]) {
        ;(await cluster.running(handle, 2)).return('again')
        const { result, attempt, node } = await cluster.finished(handle, heir)
        same([result, attempt, node], ['again', 2, heir.manager.nodeId], 'result, attempt and node of a task whose node died')
        const types = ['TaskCreated', 'TaskStarted', 'TaskDied', 'TaskStarted', 'TaskCompleted']
        same(await typesOf(cluster, handle), types, 'the events of a task whose node died')
      }
      await waitUntil('the killed node is not listed as live', async () => (await heir.manager.nodes()).length === 1)
      same(await typesOf(cluster, behind), ['TaskCreated', 'TaskStarted', 'TaskCompleted'], 'the events of the task behind it')
    },
  }),
  clustered({
    id: 'TM-6.3',
    kind: 'fault',
    title: 'a node that cannot renew its lease stops its tasks before others run them; a zombie settles nothing, and is told',
    hint: 'a lease counts from when its renewal was sent, by a monotonic clock; after it, only the current attempt settles',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const deaf = cluster.held({ type: 'deaf', heeds: false })
      const options: NodeOptions = { ...quick, tasks: [held.task, deaf.task], worker: { slots: 4, cancelGraceMs: 60_000 } }
      const [cutOff, heir] = await cluster.nodes(2, options)
      heir.manager.worker?.pause()
      const [heeding, run] = await cluster.start(cutOff, held)
      const [ignoring, zombie] = await cluster.start(cutOff, deaf)
      heir.manager.worker?.resume()
      cutOff.faults.fail('before', calls('nodes.renew'))
      await waitUntil('its bodies are aborted', () => run.signal.aborted && zombie.signal.aborted)
      same(
        [codeOf(run.signal.reason), codeOf(zombie.signal.reason)],
        ['LEASE_LOST', 'LEASE_LOST'],
        'why the signals were aborted on the node that lost its lease',
      )
      same(deaf.runs.length, 1, 'how often the task had run elsewhere when its body was told')
      const next = await cluster.running(ignoring, 2)
      zombie.return('too late')
      ;(await cluster.running(heeding, 2)).return('in time')
      next.return('in time')
      for (const handle of [heeding, ignoring]) {
        const { result, attempt, node } = await cluster.finished(handle, heir)
        same([result, attempt, node], ['in time', 2, heir.manager.nodeId], 'result, attempt and node of a task whose node lost its lease')
      }
      await waitUntil('the run of the zombie is over', () => cutOff.manager.worker?.running.length === 0)
    },
  }),
  clustered({
    id: 'TM-6.4',
    kind: 'fault',
    title: 'a retry and a delayed task start when they are due, although the node that would have sent them is gone',
    hint: 'the history says when a task is due, and the janitor of its shard knows which node would have sent it',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held({ retry: { maxAttempts: 2, backoff: { initialMs: 6_000, jitter: 0 } } })
      const doomed = await cluster.node({ ...quick, tasks: [held.task] })
      const [retried, run] = await cluster.start(doomed, held)
      const later = await doomed.manager.submit(held.task, null, { notBefore: Date.now() + 6_000 })
      run.throw(new Error('not yet'))
      await cluster.status(retried, 'waiting', doomed)
      await cluster.kill(doomed)
      const heir = await cluster.node({ ...quick, tasks: [held.task] })
      ;(await cluster.running(retried, 2)).return('retried')
      await waitUntil('the delayed task runs', () => held.find(later.id) !== undefined)
      held.find(later.id)?.return('later')
      same(
        [(await cluster.finished(retried, heir)).result, (await cluster.finished(later, heir)).result],
        ['retried', 'later'],
        'the results of a task that was retried, and of one that was due later',
      )
      const { storage } = await cluster.outside()
      for (const { id } of [retried, later]) {
        const events = await storage.events.read(id)
        const started = events.findLast(({ type }) => type === 'TaskStarted')
        const dueAt = events.map((event) => ('retryAt' in event ? event.retryAt : 'notBefore' in event ? event.notBefore : undefined))
        holds((started?.at ?? 0) >= Math.max(...dueAt.map((at) => at ?? 0)), `task ${id} was started before its time`)
      }
    },
  }),
  clustered({
    id: 'TM-6.5',
    kind: 'fault',
    title: 'a cancel request reaches its task although its notice was lost',
    hint: 'read every running task again at each renewal of the lease',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const worker = await cluster.node({ ...quick, tasks: [held.task] })
      const front = await cluster.node({ ...quick, tasks: [held.task], worker: false })
      const [handle, run] = await cluster.start(front, held)
      worker.faults.dropsNotice = () => true
      same((await front.manager.task(handle.id).cancel()).outcome, 'requested', 'the outcome of the cancel')
      await waitUntil('its signal is aborted', () => run.signal.aborted)
      same(codeOf(run.signal.reason), 'CANCEL_REQUESTED', 'why the signal of the body was aborted')
      same((await cluster.finished(handle, front)).status, 'cancelled', 'the status of the cancelled task')
    },
  }),
  clustered({
    id: 'TM-6.6',
    kind: 'fault',
    title: 'a serial queue continues after the node that had its turn was killed, and the tasks of that node run again, one at a time',
    hint: 'the engine gives the turn to another consumer; the janitor sends the task of the dead node again',
    run: async (cluster) => {
      const held = cluster.held({ queue: 'one' })
      const options: NodeOptions = { ...quick, tasks: [held.task], worker: { queues: { one: { slots: 1, mode: 'serial' } } } }
      const doomed = await cluster.node(options)
      const [first] = await cluster.start(doomed, held, 1)
      const heir = await cluster.node(options)
      const second = await heir.manager.submit(held.task, 2)
      await cluster.kill(doomed)
      // Either of the two may come first.
      let running = 0
      await cluster.until('both tasks run to their end', async () => {
        const open = held.runs.filter((run) => run.ended === undefined && run !== held.runs[0])
        running = Math.max(running, open.length)
        for (const run of open) run.return()
        return held.find(second.id)?.ended !== undefined && held.find(first.id, 2)?.ended !== undefined
      })
      same(running, 1, 'how many tasks of the serial queue ran at the same time')
      const ends = [await cluster.finished(first, heir), await cluster.finished(second, heir)]
      same(
        ends.map(({ status, attempt }) => [status, attempt]),
        [
          ['completed', 2],
          ['completed', 1],
        ],
        'status and attempt of the tasks of the serial queue',
      )
    },
  }),
  clustered({
    id: 'TM-6.7',
    kind: 'fault',
    title: 'a task that kills its node ends as died after the crashes that it may survive, and its history shows them',
    hint: 'the history counts crashes, and one more than maxCrashes is final',
    run: async (cluster) => {
      const held = cluster.held({ retry: { maxCrashes: 1 } })
      const options: NodeOptions = { ...quick, tasks: [held.task] }
      const front = await cluster.node({ ...options, worker: false })
      const handle = await front.manager.submit(held.task, 'poison')
      const nodes: string[] = []
      for (const attempt of [1, 2]) {
        const doomed = await cluster.node(options)
        nodes.push(doomed.manager.nodeId)
        await cluster.running(handle, attempt)
        await cluster.kill(doomed)
      }
      const { status, error } = await cluster.finished(handle, front)
      same([status, error?.name], ['died', 'NodeDied'], 'status and error of a task whose nodes died')
      const { storage } = await cluster.outside()
      const deaths = (await storage.events.read(handle.id)).flatMap((event) => (event.type === 'TaskDied' ? [event.diedOn] : []))
      same(deaths, nodes, 'the nodes of the deaths in the history')
      await cluster.rowIs(await handle.details(), front)
    },
  }),
]
