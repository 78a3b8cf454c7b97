import { hasCode } from '@taskledger/core/ports'
import type { WorkQueue } from '@taskledger/core/ports'
import type { Rule, RuleContext } from '../../framework/rule.ts'
import { failedWith, holds, same } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
import { withoutFault } from './not-shown.ts'
import { createdFor } from './sample-messages.ts'
import type { StagedRule } from './stage.ts'
import { historyOf, idsOf, passing, staged } from './stage.ts'

interface Send {
  /** One attempt. The fate of its message does not matter. Returns its failure. */
  once(): Promise<unknown>
  /** Repeats until the queue takes the message, which then has to arrive. */
  untilTaken(step: string): Promise<void>
}

/** A handler runs while the fault comes and goes. Then consumers and sends have to go on by themselves, within the slots. */
const resumesAfter =
  (fault: string, causeFault: (context: RuleContext<WorkQueue>, send: Send) => Promise<void>): StagedRule['run'] =>
  async (context, stage) => {
    const { port, waitUntil } = context
    const sent: string[] = []
    const failures: unknown[] = []
    const [long] = await stage.send(1)
    const { held, end } = stage.hold()
    const worker = await stage.work(port, {
      slots: 2,
      handle: async (delivery, time) => {
        // The others take a moment: if there are too many slots, they run at the same time.
        if (delivery.message.taskId === long?.taskId && time === 1) await held
        else await stage.moment()
        // The delivery may belong to a broken connection: its message has been delivered again, or will be.
        const failure = await outcomeOf(delivery.accept())
        if (failure !== undefined) failures.push(failure)
      },
    })
    stage.watch(() => ({ sent, delivered: idsOf(worker.runs) }))
    const missing = (): number => sent.filter((taskId) => worker.runs.every((run) => run.taskId !== taskId)).length
    await waitUntil('a handler runs, before the fault', () => worker.running === 1)
    const send = {
      once: () => outcomeOf(port.send(stage.queue, stage.message())),
      untilTaken: async (step: string) => void sent.push((await stage.sendUntilTaken(step, port)).taskId),
    }
    await causeFault(context, send)
    for (let count = 1; count <= 4; count++) await send.untilTaken(`send ${count} of 4 after ${fault}`)
    await waitUntil(`the consumer gets the messages that were sent after ${fault}`, () => missing() === 0)
    end()
    await send.untilTaken(`after ${fault} and the end of the handler that ran all the while`)
    await waitUntil(`the consumer goes on after the handler that ran during ${fault}`, () => missing() === 0 && worker.running === 0)
    holds(worker.maxRunning <= 2, `${worker.maxRunning} handlers ran at the same time after ${fault}, with 2 slots`)
    for (const failure of failures) failedWith(failure, passing, `accept() after ${fault}`)
    const [, again] = worker.runs.filter(({ taskId }) => taskId === long?.taskId)
    if (again !== undefined)
      same(
        historyOf(again.delivery),
        { redelivered: true, releases: 0 },
        `what the delivery says of a message that is delivered again after ${fault}`,
      )
  }

export const faultRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-6.1',
    kind: 'fault',
    title: 'after a cut, consumers and sends resume by themselves',
    hint: 'watch the connection and its channels; reopen them with back-off and consume again; handlers that still run keep their slots',
    notShown: withoutFault('cut'),
    run: resumesAfter('two cuts', async ({ faults }, send) => {
      await faults.cut()
      await send.untilTaken('after the first of two cuts')
      await faults.cut()
    }),
  }),
  staged({
    id: 'WQ-6.2',
    kind: 'fault',
    title: 'a send whose reply is lost succeeds or fails with OUTCOME_UNKNOWN, and its message arrives once or twice',
    hint: 'wait for the confirmation, with a bound; without it nothing is known, so report neither "sent" nor "not sent"',
    notShown: withoutFault('loseReplies'),
    run: async ({ port, faults, within, observe }, stage) => {
      for (let round = 1; round <= 3; round++) {
        const message = stage.message()
        const heal = await faults.loseReplies()
        const sending = outcomeOf(port.send(stage.queue, message))
        await Promise.race([sending, stage.moment()])
        await heal()
        const failure = await within(`a send whose reply is lost ends, in round ${round} of 3`, sending)
        observe({ message, failure })
        // First of all: an adapter that does not connect again is to blame for nothing else.
        await stage.sendUntilTaken(
          `on a new connection, after the one whose replies were lost, in round ${round} of 3`,
          port,
          stage.message(),
          'other',
        )
        if (failure !== undefined) {
          failedWith(failure, passing, `a send whose reply is lost, in round ${round} of 3`)
          // On a slow engine the message may not have been sent yet. Then an adapter may say UNAVAILABLE, and the queue has to be empty.
          if (!hasCode(failure, 'OUTCOME_UNKNOWN')) await stage.nothingLeft()
          await stage.sendUntilTaken(`the repeat of a send whose reply was lost, in round ${round} of 3`, port, message)
        }
        const worker = await stage.arrives(message)
        await within('the consumer that got the message closes', worker.consumer.close())
      }
    },
  }),
  staged({
    id: 'WQ-6.3',
    kind: 'fault',
    title: 'while the engine takes nothing, sends wait, and then fail with OUTCOME_UNKNOWN, UNAVAILABLE or the reason of their signal',
    hint: 'bound the wait for a confirmation, and the sends that wait for one: a producer that is not held back fills the memory',
    notShown: withoutFault('stall'),
    run: async ({ port, faults, within }, stage) => {
      await stage.send(1)
      const heal = await faults.stall()
      try {
        const controller = new AbortController()
        const reason = new Error('aborted by the rule')
        const impatient = outcomeOf(port.send(stage.queue, stage.message(), { signal: controller.signal }))
        const large = 'x'.repeat(16_000)
        const waiting = Array.from({ length: 300 }, () => {
          const message = stage.message()
          const created = createdFor(message, { task: { type: 'reindex', version: 1, payload: large } })
          return outcomeOf(port.send(stage.queue, { ...message, created }))
        })
        controller.abort(reason)
        same(
          await within('a send ends whose signal is aborted during a stall', impatient),
          reason,
          'the failure of a send whose signal is aborted',
        )
        let ended = 0
        for (const outcome of waiting) {
          const failure = await within(`send ${++ended} of 300 ends by itself during a stall`, outcome)
          failedWith(failure, passing, `send ${ended} of 300 during a stall, in which the engine took nothing`)
        }
      } finally {
        await heal()
      }
      const sent = await stage.sendUntilTaken('after a stall with 300 sends', port)
      await stage.arrives(sent)
    },
  }),
  staged({
    id: 'WQ-6.4',
    kind: 'fault',
    title: 'after refused connections, consumers and sends resume by themselves',
    hint: 'never give up reconnecting, and let the back-off grow to seconds, not to minutes',
    notShown: withoutFault('refuse'),
    run: resumesAfter('refused connections', async ({ faults, within }, send) => {
      const heal = await faults.refuse()
      try {
        failedWith(await within('a send ends while connections are refused', send.once()), passing, 'a send while connections are refused')
      } finally {
        await heal()
      }
    }),
  }),
  staged({
    id: 'WQ-6.5',
    kind: 'fault',
    title: 'after a stall, consumers and sends resume by themselves',
    hint: 'detect a silent connection by heartbeats, close it and open it again',
    notShown: withoutFault('stall'),
    run: resumesAfter('a stall', async ({ faults, within }, send) => {
      const heal = await faults.stall()
      try {
        failedWith(await within('a send ends while nothing gets through', send.once()), passing, 'a send while nothing gets through')
      } finally {
        await heal()
      }
    }),
  }),
]
