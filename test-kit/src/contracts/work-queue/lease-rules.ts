import type { TaskId, WorkMessage, WorkQueue } from '@taskledger/core/ports'
import { hasCode } from '@taskledger/core/ports'
import type { Rule, RuleContext } from '../../framework/rule.ts'
import { holds, same } from '../expectations.ts'
import { withoutFault, withoutHook } from './not-shown.ts'
import type { Run, Stage, Worker } from './stage.ts'
import { acceptAtOnce, historyOf, idsOf, staged } from './stage.ts'

/** Longer than a lease that was renewed once. */
const longRun = 2.2

/** Longer than a lease. */
const longerThanALease = 1.4

/**
 * The parts of a lease for which nothing gets through, and everything: beside most of its renewals, and far shorter than any lease also on a busy
 * machine.
 */
const stalledFor = 0.1
const flowingFor = 0.05

/** For how many leases connections are refused: a renewal is tried, and gets no answer, however patient the adapter is. */
const outage = 1

interface LongRun {
  /** Fails where a message was delivered again, or a second handler of the serial queue began. */
  check(): void
  /** Lets the handlers end, and waits until all is handled. */
  end(): Promise<void>
}

/** Whether the handler of a serial queue has accepted while it runs on: it keeps the turn all the same. */
const serialQueues = [
  { queue: 'serial, unaccepted', accepts: false },
  { queue: 'serial, accepted', accepts: true },
] as const

/** Begins long runs in parallel and serial queues, accepted and not, with consumers beside them that have a free slot. */
const beginLongRuns = async ({ port, peer, waitUntil }: RuleContext<WorkQueue>, stage: Stage): Promise<LongRun> => {
  const clients = [port, await peer()] as const
  const parallel = await Promise.all(clients.map((client) => stage.work(client, { slots: 2 })))
  const [accepted] = await stage.send(2)
  const inParallel = (): readonly Run[] => parallel.flatMap(({ runs }) => runs)
  await waitUntil('two handlers of the parallel queue run', () => inParallel().length === 2)
  await inParallel()
    .find(({ taskId }) => taskId === accepted?.taskId)
    ?.accept()

  const serial: { readonly queue: string; readonly sent: readonly WorkMessage[]; runs(): readonly Run[] }[] = []
  for (const { queue, accepts } of serialQueues) {
    const workers = await Promise.all(clients.map((client) => stage.work(client, { queue, mode: 'serial' })))
    const runs = (): readonly Run[] => workers.flatMap((worker) => worker.runs).sort((one, other) => one.number - other.number)
    const sent = await stage.send(2, queue)
    await waitUntil(`a handler of the queue "${queue}" runs`, () => runs().length > 0)
    if (accepts) await runs()[0]?.accept()
    serial.push({ queue, sent, runs })
  }
  stage.watch(() => ({ parallel: idsOf(inParallel()), serial: serial.map(({ runs }) => idsOf(runs())) }))

  const check = (): void => {
    const ids = idsOf(inParallel())
    const twice = ids.find((taskId, index) => ids.indexOf(taskId) !== index)
    holds(twice === undefined, `task ${twice} was delivered again while its handler ran`)
    for (const { queue, sent, runs } of serial) {
      const second = runs()[1]?.taskId
      const what = second === sent[0]?.taskId ? 'the same task was delivered again' : `task ${second} began beside it`
      holds(second === undefined, `the queue "${queue}" took the turn from a handler that ran: ${what}`)
    }
  }
  return {
    check,
    end: async () => {
      check()
      for (const run of inParallel()) await run.finish()
      for (const { queue, sent, runs } of serial) {
        await runs()[0]?.finish()
        await waitUntil(`the next handler of the queue "${queue}" runs, after a long one`, () => runs().length > 1)
        await runs()[1]?.finish()
        await stage.quiet(`after the long runs of the queue "${queue}" have ended`)
        same(idsOf(runs()), idsOf(sent), `the tasks of the queue "${queue}", each once`)
      }
      same(inParallel().length, 2, 'the deliveries of two messages with long runs in a parallel queue')
    },
  }
}

export const leaseRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-3.9',
    kind: 'plain',
    title: 'a handler that runs for much longer than `redeliveryWithinMs` keeps its message, and in a serial queue the turn',
    hint: 'renew the lease of every message that a handler has, and that of the turn, for as long as the handler runs',
    run: async (context, stage) => {
      const runs = await beginLongRuns(context, stage)
      await stage.leases(longRun, () => runs.check())
      await runs.end()
    },
  }),
  staged({
    id: 'WQ-3.10',
    kind: 'fault',
    title: 'stalls that are shorter than a lease take neither a message nor the turn from a handler that runs on',
    hint: 'repeat a renewal that got no answer until the lease is over: a renewal without an answer is no lost lease',
    notShown: withoutFault('stall'),
    run: async (context, stage) => {
      const runs = await beginLongRuns(context, stage)
      for (let passed = 0; passed < longerThanALease; passed += stalledFor + flowingFor) {
        await stage.leases(flowingFor, () => runs.check())
        const heal = await context.faults.stall()
        try {
          await stage.leasesAtMost(stalledFor, () => runs.check())
        } finally {
          await heal()
        }
      }
      await runs.end()
    },
  }),
  staged({
    id: 'WQ-3.11',
    kind: 'fault',
    title: 'a client that stands still loses its messages to others, and settles nothing of theirs when it comes back',
    hint: 'settle the delivery, and not the message: a settlement counts only while its own delivery is the latest',
    notShown: withoutHook('stallClient'),
    run: async ({ port, peer, stallClient, waitUntil, within }, stage) => {
      const client = await peer()
      const stale = await stage.work(client, { slots: 4 })
      const sent = await stage.send(4)
      await waitUntil('four handlers run', () => stale.running === 4)
      const resume = await stallClient?.(client)
      const heir = await stage.work(port, { slots: 4 })
      stage.watch(() => ({ stood: idsOf(stale.runs), other: idsOf(heir.runs) }))
      await stage.comesBack('another consumer has all four messages, after the first one stood still', () => heir.running === 4)
      // Longer than a lease, however soon the messages came back.
      await stage.leases(1, () => {})
      for (const { delivery } of heir.runs)
        same(historyOf(delivery), { redelivered: true, releases: 0 }, 'what the delivery says of a message whose consumer stood still')
      await resume?.()
      await stage.sendUntilTaken('after the client came back', client, stage.message(), 'other')
      // The fourth handler ends without settling.
      const [first, second, third] = [...stale.runs]
      await stage.settle(first, 'accept', 'of a delivery that another consumer has now')
      await stage.settle(second, 'release', 'of a delivery that another consumer has now')
      await stage.settle(third, 'reject', 'of a delivery that another consumer has now')
      for (const run of stale.runs) run.end()
      await stage.quiet('after a client that stood still has come back and settled')
      const deliveries = (): readonly TaskId[] => [...idsOf(stale.runs), ...idsOf(heir.runs)].sort()
      const twice = [...idsOf(sent), ...idsOf(sent)].sort()
      same(deliveries(), twice, 'the deliveries of four messages, each to the client that stood still and to another')
      same(
        (await stage.deadLetters(port)).length,
        0,
        'the dead letters, after a client that stood still rejected a message that another consumer has',
      )
      // The settlements of the other consumer count.
      const [released, ...accepted] = heir.runs
      for (const run of accepted) await run.finish()
      await released?.delivery.release()
      released?.end()
      const newest = (): Worker['runs'] => [...stale.runs.slice(4), ...heir.runs.slice(4)]
      await waitUntil('the message that the other consumer released is delivered again', () => newest().length === 1)
      const [last] = newest()
      same(last?.taskId, released?.taskId, 'the message that is delivered again after the other consumer has released it')
      same(last && historyOf(last.delivery), { redelivered: true, releases: 1 }, 'what its delivery says')
      await last?.finish()
      await within('both consumers close', Promise.all([stale.consumer.close(), heir.consumer.close()]))
      await stage.nothingLeft()
    },
  }),
  staged({
    id: 'WQ-3.12',
    kind: 'fault',
    title: 'a settlement that cannot reach the engine ends, loses no message, and keeps no slot and no turn',
    hint: 'bound every settlement; after one that failed, let the engine deliver the message again',
    notShown: withoutFault('refuse'),
    run: async ({ port, peer, faults, waitUntil }, stage) => {
      const client = await peer()
      const ways = ['accept', 'release', 'reject'] as const
      const worker = await stage.work(client, { slots: ways.length })
      const sent = await stage.send(ways.length)
      const holder = await stage.work(client, { queue: 'serial', mode: 'serial' })
      const [turn, next] = await stage.send(2, 'serial')
      await waitUntil(
        'a handler runs for each way to settle, and one of the serial queue',
        () => worker.running === ways.length && holder.running === 1,
      )
      const failures = new Map<string, unknown>()
      const heal = await faults.refuse()
      try {
        const settling = [...ways.entries()].map(async ([index, how]) => {
          const run = worker.runs.find(({ taskId }) => taskId === sent[index]?.taskId)
          failures.set(how, await stage.settle(run, how, 'while connections are refused'))
          run?.end()
        })
        const [run] = holder.runs
        failures.set('serial', await stage.settle(run, 'accept', 'of a serial queue, while connections are refused'))
        run?.end()
        await Promise.all(settling)
      } finally {
        await heal()
      }
      stage.watch(() => ({ failures, parallel: idsOf(worker.runs), serial: idsOf(holder.runs) }))
      worker.consumer.resize(0)
      const other = await stage.work(port, { handle: acceptAtOnce, slots: 2 })
      const serial = await stage.work(port, { queue: 'serial', mode: 'serial', handle: acceptAtOnce })
      const isBack = (index: number): boolean =>
        [...other.runs, ...worker.runs.slice(ways.length)].some(({ taskId }) => taskId === sent[index]?.taskId)
      const finishRest = async (): Promise<void> => {
        for (const run of [...worker.runs.slice(ways.length), ...holder.runs.slice(1)]) if (!run.ended) await run.finish()
      }
      const isUnavailable = (how: string): boolean => hasCode(failures.get(how), 'UNAVAILABLE')
      await stage.comesBack('a message is delivered again whose release could not reach the engine', async () => {
        await finishRest()
        return isBack(1)
      })
      await stage.comesBack('a message is delivered again or a dead letter whose rejection could not reach the engine', async () => {
        await finishRest()
        return isBack(2) || (await stage.deadLetters(port)).length > 0
      })
      if (isUnavailable('accept'))
        await stage.comesBack('a message is delivered again whose accept() failed with UNAVAILABLE', () => isBack(0))
      await stage.comesBack(
        'the next message of the serial queue is handled, after an accept() that could not reach the engine',
        async () => {
          await finishRest()
          return [...serial.runs, ...holder.runs].some(({ taskId, ended }) => taskId === next?.taskId && ended)
        },
      )
      const comebacks = [...other.runs, ...worker.runs.slice(ways.length), ...serial.runs, ...holder.runs.slice(1)]
      for (const { taskId, delivery } of comebacks)
        if (taskId !== next?.taskId && taskId !== sent[1]?.taskId)
          same(
            historyOf(delivery),
            { redelivered: true, releases: 0 },
            `what the delivery says of a message that could not be ${taskId === turn?.taskId ? 'accepted, in a serial queue' : 'accepted or rejected'}`,
          )
    },
  }),
  staged({
    id: 'WQ-3.13',
    kind: 'fault',
    title: 'after an outage in which renewals failed, a handler that begins keeps its message for longer than a lease',
    hint: 'a renewal that fails must not end the timer of all later ones',
    notShown: withoutFault('refuse'),
    run: async ({ port, peer, faults, waitUntil }, stage) => {
      const client = await peer()
      // More slots than two: the message of the outage may come back beside its handler.
      const worker = await stage.work(client, { slots: 3 })
      await stage.send(1)
      await waitUntil('a handler runs, before the outage', () => worker.running === 1)
      const heal = await faults.refuse()
      try {
        await stage.leases(outage, () => {})
      } finally {
        await heal()
      }
      const { taskId } = await stage.sendUntilTaken('after the outage', client)
      await waitUntil('a handler of the same consumer begins after the outage', () => worker.runs.some((run) => run.taskId === taskId))
      const other = await stage.work(port, { slots: 2 })
      stage.watch(() => ({ worker: idsOf(worker.runs), other: idsOf(other.runs) }))
      await stage.leases(longerThanALease, () =>
        holds(
          [...worker.runs, ...other.runs].filter((run) => run.taskId === taskId).length === 1,
          `task ${taskId} was delivered again while its handler ran, which began after an outage: its lease was not renewed`,
        ),
      )
    },
  }),
]
