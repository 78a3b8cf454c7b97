import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TaskId, WorkMessage, WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { holds, same } from '../expectations.ts'
import { withoutFault, withoutHook } from './not-shown.ts'
import type { Run, Stage, Worker } from './stage.ts'
import { acceptAtOnce, historyOf, idsOf, sortedIdsOf, staged } from './stage.ts'

/** A message that was delivered again, uncounted. */
const again = { redelivered: true, releases: 0 }

/** Says which tasks ran at the same time, or nothing. */
class Turns {
  readonly #running = new Map<TaskId, string>()
  #overlap: string | undefined

  begin(taskId: TaskId, client: string): void {
    const [other] = this.#running
    if (other !== undefined) this.#overlap ??= `task ${taskId} began on ${client} while task ${other[0]} ran on ${other[1]}`
    this.#running.set(taskId, client)
  }

  end(taskId: TaskId): void {
    this.#running.delete(taskId)
  }

  /** Fails at once where two ran: a wait for the rest would blame the wait. */
  check(): void {
    holds(this.#overlap === undefined, `two handlers of a serial queue ran at the same time: ${this.#overlap}`)
  }
}

/** The runs of several workers, in the order in which they began. */
const inOrder = (workers: readonly Worker[]): readonly Run[] =>
  workers.flatMap(({ runs }) => runs).sort((one, other) => one.number - other.number)

/** Whether the holder has accepted before it loses its turn. Both has to be tried: with a serial queue it makes no difference. */
const ways = [
  { queue: 'unaccepted', accepts: false },
  { queue: 'accepted', accepts: true },
] as const

interface Turn {
  readonly queue: string
  readonly sent: readonly WorkMessage[]
  readonly holder: Worker
  readonly heir: Worker
}

/** On two queues: the holder has the first of three messages, accepted or not, and the next client waits for its turn. */
const turnsOf = async (
  stage: Stage,
  holder: WorkQueue,
  heir: WorkQueue,
  waitUntil: (sentence: string, condition: () => boolean) => Promise<void>,
): Promise<readonly Turn[]> => {
  const turns: Turn[] = []
  for (const { queue, accepts } of ways) {
    const holding = await stage.work(holder, { queue, mode: 'serial' })
    const sent = await stage.send(3, queue)
    await waitUntil(`the holder has a message of the queue "${queue}"`, () => holding.runs.length === 1)
    if (accepts) await holding.runs[0]?.accept()
    const waiting = await stage.work(heir, { queue, mode: 'serial' })
    turns.push({ queue, sent, holder: holding, heir: waiting })
  }
  await stage.quiet('while the holder has its turn')
  for (const { queue, heir: waiting } of turns)
    same(idsOf(waiting.runs), [], `the tasks of "${queue}" that another client gets while the holder has its turn`)
  return turns
}

/** Finishes every run that begins, until the messages were handled. Returns the tasks in the order in which their runs began. */
const finishAll = async (
  stage: Stage,
  { queue, sent, holder, heir }: Turn,
  from: number,
  waitUntil: (sentence: string, condition: () => boolean | Promise<boolean>) => Promise<void>,
): Promise<readonly TaskId[]> => {
  const begun = (): readonly Run[] => inOrder([holder, heir]).slice(from)
  await waitUntil(`all 3 messages of the queue "${queue}" are handled after the turn was lost`, async () => {
    for (const run of begun()) if (!run.ended) await run.finish()
    const handled = new Set(idsOf([...holder.runs, ...heir.runs].filter(({ ended }) => ended)))
    return sent.every(({ taskId }) => handled.has(taskId))
  })
  await stage.quiet(`after all messages of the queue "${queue}" were handled`)
  return idsOf(begun())
}

export const serialRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-2.3',
    kind: 'plain',
    title: 'serial: one handler of the queue runs at a time, over all clients, whatever their slots',
    hint: 'the engine has to decide which client may run: a lock in each client does not stop the others',
    run: async ({ port, peer, waitUntil, observe }, stage) => {
      const clients = [port, await peer(), await peer()]
      const turns = new Turns()
      const handled: TaskId[] = []
      const before = await stage.send(6)
      const workers = await Promise.all(
        clients.map((client, index) =>
          stage.work(client, {
            mode: 'serial',
            slots: 4,
            handle: async (delivery) => {
              const { taskId } = delivery.message
              turns.begin(taskId, `client ${index + 1}`)
              handled.push(taskId)
              // The first handlers leave time for the others. A consumer is not free before its handler ends, whether it has accepted or not.
              const acceptsFirst = handled.length % 2 === 0
              if (acceptsFirst) await delivery.accept()
              if (handled.length < 4) await stage.quiet('while a handler of a serial queue runs')
              else await nextTurn()
              if (!acceptsFirst) await delivery.accept()
              turns.end(taskId)
            },
          }),
        ),
      )
      const after = await stage.send(6)
      observe(handled)
      await waitUntil('all 12 messages are handled, one at a time', () => {
        turns.check()
        return new Set(handled).size === 12 && workers.every(({ running }) => running === 0)
      })
      turns.check()
      same([...handled].sort(), sortedIdsOf([...before, ...after]), 'the tasks that were handled, each once')
    },
  }),
  staged({
    id: 'WQ-2.4',
    kind: 'fault',
    title: 'serial: the next client takes over when the holder dies, and gets the same message first, accepted or not',
    hint: 'tie the right to run to the connection or to a lease; acknowledge when the handler has ended, and put back at the head what was not acknowledged',
    notShown: withoutHook('kill'),
    run: async ({ port, peer, kill, waitUntil }, stage) => {
      const doomed = await peer()
      const turns = await turnsOf(stage, doomed, port, waitUntil)
      await kill?.(doomed)
      for (const turn of turns) {
        const { queue, sent, heir } = turn
        await stage.comesBack(`the next client of "${queue}" has a message, after the holder died`, () => heir.runs.length > 0)
        const [first] = heir.runs
        same(first?.taskId, sent[0]?.taskId, `the first task that the next client of the queue "${queue}" gets`)
        same(first && historyOf(first.delivery), again, `what the delivery says of the message that the dead holder of "${queue}" had`)
        const order = await finishAll(stage, turn, 1, waitUntil)
        same(order, idsOf(sent), `the tasks of "${queue}" in the order in which they began after the holder died`)
      }
    },
  }),
  staged({
    id: 'WQ-2.6',
    kind: 'plain',
    title: 'serial: the next client takes over when the holder closes, and gets first what the holder has not settled',
    hint: 'give up the right to run when the last handler has ended, not before; put back at the head what a closing consumer has not settled',
    run: async ({ port, peer, waitUntil, within }, stage) => {
      for (const settles of [true, false]) {
        const queue = settles ? 'settled' : 'unsettled'
        const holder = await stage.work(await peer(), { queue, mode: 'serial' })
        const sent = await stage.send(3, queue)
        await waitUntil(`the holder of "${queue}" has a message`, () => holder.runs.length === 1)
        const heir = await stage.work(port, { queue, mode: 'serial', handle: acceptAtOnce })
        const closed = holder.consumer.close()
        await stage.quiet('while the holder closes and its handler runs')
        same(idsOf(heir.runs), [], `the tasks of "${queue}" that another client gets before the handler of the closing holder has ended`)
        if (settles) await holder.runs[0]?.finish()
        else holder.runs[0]?.end()
        await within(`the holder of "${queue}" closes after its handler has ended`, closed)
        const left = settles ? sent.slice(1) : sent
        await waitUntil(`the next client of "${queue}" gets the other messages`, () => heir.runs.length >= left.length)
        await stage.quiet('after the next client has taken over')
        same(idsOf(heir.runs), idsOf(left), `the tasks of "${queue}" that the next client gets, in order`)
        const [first] = heir.runs
        if (!settles)
          same(first && historyOf(first.delivery), again, 'what the delivery says of a message that a closed holder had not settled')
      }
    },
  }),
  staged({
    id: 'WQ-2.9',
    kind: 'fault',
    title: 'serial: after a cut the message of the lost turn comes before all others of the queue, if it comes again',
    hint: 'put back at the head what was not acknowledged; a client that has lost its turn must not begin the next message',
    notShown: withoutFault('cut'),
    run: async ({ port, peer, faults, waitUntil }, stage) => {
      const client = await peer()
      const turns = await turnsOf(stage, client, port, waitUntil)
      await faults.cut()
      for (const turn of turns) {
        const { queue, sent, holder, heir } = turn
        await stage.sendUntilTaken('after a cut', port, stage.message(), 'other')
        const [run] = holder.runs
        // An engine with leases has not taken the turn away. The next message may begin only when this handler has ended.
        const early = inOrder([holder, heir]).find(({ taskId }) => taskId !== sent[0]?.taskId)
        holds(early === undefined, `task ${early?.taskId} of the queue "${queue}" began after a cut, before the message of the lost turn`)
        await stage.settle(run, 'accept', `of the message of "${queue}" after a cut`)
        run?.end()
        const order = await finishAll(stage, turn, 1, waitUntil)
        const rest = order[0] === sent[0]?.taskId ? order.slice(1) : order
        same(rest, idsOf(sent.slice(1)), `the tasks of "${queue}" behind the message of the lost turn, in order`)
        const repeated = inOrder([holder, heir])[1]
        if (repeated?.taskId === sent[0]?.taskId)
          same(repeated && historyOf(repeated.delivery), again, `what the delivery says of the message of "${queue}" after a cut`)
      }
    },
  }),
  staged({
    id: 'WQ-2.10',
    kind: 'fault',
    title:
      'serial: the turn of a client that stands still moves on with the same message, and the client settles and runs nothing beside it when it comes back',
    hint: 'the engine has to know whose turn it is: compare the turn, and not the message, when a client settles or asks for more',
    notShown: withoutHook('stallClient'),
    run: async ({ port, peer, stallClient, waitUntil }, stage) => {
      const client = await peer()
      const turns = await turnsOf(stage, client, port, waitUntil)
      const resume = await stallClient?.(client)
      await stage.comesBack('the next client has the turn of both queues, after the holder stood still', () =>
        turns.every(({ heir }) => heir.runs.length > 0),
      )
      // Longer than a lease, however soon the turn moved on.
      await stage.leases(1, () => {})
      await resume?.()
      const runsOf = ({ holder, heir }: Turn): object => ({ holder: idsOf(holder.runs), heir: idsOf(heir.runs) })
      for (const turn of turns) {
        const { queue, sent, holder, heir } = turn
        const [first] = heir.runs
        same(first?.taskId, sent[0]?.taskId, `the first task that the next client of the queue "${queue}" gets`)
        same(first && historyOf(first.delivery), again, `what the delivery says of the message of "${queue}" whose holder stood still`)
        stage.watch(() => runsOf(turn))
        const [stale] = holder.runs
        if (queue === 'unaccepted') await stage.settle(stale, 'release', 'of a client that stood still')
        stale?.end()
        await stage.sendUntilTaken('after the client came back', client, stage.message(), 'other')
        await stage.quiet('after a client that stood still has come back and its handler has ended')
        same(
          runsOf(turn),
          { holder: [sent[0]?.taskId], heir: [sent[0]?.taskId] },
          `the tasks of "${queue}" that began on both clients while the next client has the turn`,
        )
        same(
          await finishAll(stage, turn, 1, waitUntil),
          idsOf(sent),
          `the tasks of "${queue}" in the order in which they began after the turn moved on`,
        )
      }
    },
  }),
]
