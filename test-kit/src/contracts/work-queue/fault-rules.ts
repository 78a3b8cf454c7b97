import assert from 'node:assert/strict'
import { hasCode } from '@taskledger/core/ports'
import type { WorkQueue } from '@taskledger/core/ports'
import type { Faults } from '../../framework/harness.ts'
import type { Rule, RuleContext } from '../../framework/rule.ts'
import { isPassing } from '../outcome.ts'
import { createdFor } from './sample-messages.ts'
import type { StagedRule } from './stage.ts'
import { staged } from './stage.ts'

const notShownWithout =
  (fault: keyof Faults): NonNullable<StagedRule['notShown']> =>
  ({ faults }) =>
    faults?.[fault] === undefined ? `the harness has no fault "${fault}"` : undefined

interface Send {
  /** One attempt. The fate of its message does not matter. */
  once(): Promise<void>
  /** Repeats until the queue accepts the message, which then has to arrive. */
  untilAccepted(): Promise<void>
}

/** A handler runs while the fault comes and goes. Then consumers and sends have to go on by themselves, within the slots. */
const resumesAfter =
  (causeFault: (context: RuleContext<WorkQueue>, send: Send) => Promise<void>): StagedRule['run'] =>
  async (context, stage) => {
    const { port, waitUntil, observe } = context
    const sent: string[] = []
    const [long] = await stage.send(1)
    const { held, end } = stage.hold()
    const worker = await stage.work(port, {
      slots: 2,
      handle: async (delivery, time) => {
        // The others take a moment: if there are too many slots, they run at the same time.
        if (delivery.message.taskId === long?.taskId && time === 1) await held
        else await stage.moment()
        // The delivery may belong to a broken connection: its message has been delivered again, or will be.
        await delivery.accept().catch((error: unknown) => assert.ok(isPassing(error), String(error)))
      },
    })
    observe({ sent, runs: worker.runs })
    const hasRun = (): boolean => sent.every((taskId) => worker.runs.some((run) => run.taskId === taskId))
    await waitUntil('a handler runs', () => worker.running === 1)
    const send = {
      once: () => port.send(stage.queue, stage.message()),
      untilAccepted: async () => void sent.push((await stage.sendUntilAccepted(port)).taskId),
    }
    await causeFault(context, send)
    for (let count = 0; count < 4; count++) await send.untilAccepted()
    await waitUntil('the messages that were sent since are delivered', hasRun)
    end()
    await send.untilAccepted()
    await waitUntil('consumers and sends go on', () => hasRun() && worker.running === 0)
    assert.ok(worker.maxRunning <= 2, `${worker.maxRunning} handlers ran at the same time, with 2 slots`)
  }

export const faultRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-6.1',
    kind: 'fault',
    title: 'after a cut, consumers and sends resume by themselves',
    hint: 'watch the connection and its channels; reopen them with back-off and consume again; handlers that still run keep their slots',
    notShown: notShownWithout('cut'),
    run: resumesAfter(async ({ faults }, send) => {
      await faults.cut()
      await send.untilAccepted()
      await faults.cut()
    }),
  }),
  staged({
    id: 'WQ-6.2',
    kind: 'fault',
    title: 'a send whose reply is lost succeeds or fails with OUTCOME_UNKNOWN, and its message arrives once or twice',
    hint: 'wait for the confirmation, with a bound; without it nothing is known, so report neither "sent" nor "not sent"',
    notShown: notShownWithout('loseReplies'),
    run: async ({ port, faults, within, waitUntil, observe }, stage) => {
      for (let round = 0; round < 3; round++) {
        const message = stage.message()
        const heal = await faults.loseReplies()
        let failure: Error | undefined
        const sending = port.send(stage.queue, message).catch((error: Error) => (failure = error))
        await Promise.race([sending, stage.moment()])
        await heal()
        await within('a send without a reply ends', sending)
        observe({ message, failure })
        if (failure !== undefined) {
          assert.ok(isPassing(failure), `the send failed with ${failure.message}`)
          // On a slow engine the message may not have been sent yet. Then an adapter may say UNAVAILABLE, and the queue has to be empty.
          if (!hasCode(failure, 'OUTCOME_UNKNOWN')) await stage.nothingLeft()
          await waitUntil('the repeated send is accepted', () =>
            port.send(stage.queue, message).then(
              () => true,
              () => false,
            ),
          )
        }
        const worker = await stage.arrives(message)
        await within('the consumer closes', worker.consumer.close())
      }
    },
  }),
  staged({
    id: 'WQ-6.3',
    kind: 'fault',
    title: 'while the engine takes nothing, sends wait, and then fail with OUTCOME_UNKNOWN, UNAVAILABLE or the reason of their signal',
    hint: 'bound the wait for a confirmation, and the sends that wait for one: a producer that is not held back fills the memory',
    notShown: notShownWithout('stall'),
    run: async ({ port, faults, within }, stage) => {
      await stage.send(1)
      const heal = await faults.stall()
      try {
        const controller = new AbortController()
        const reason = new Error('aborted on purpose')
        const impatient = port.send(stage.queue, stage.message(), { signal: controller.signal })
        impatient.catch(() => {})
        const large = 'x'.repeat(16_000)
        const waiting = Array.from({ length: 300 }, () => {
          const message = stage.message()
          return port.send(stage.queue, {
            ...message,
            created: createdFor(message, { task: { type: 'reindex', version: 1, payload: large } }),
          })
        })
        const outcomes = Promise.allSettled(waiting)
        controller.abort(reason)
        await within('a send whose signal is aborted rejects', assert.rejects(impatient, reason))
        for (const outcome of await within('every send ends', outcomes)) {
          assert.equal(outcome.status, 'rejected', 'a send resolved although the engine took nothing')
          assert.ok(isPassing(outcome.reason), `the send failed with ${String(outcome.reason)}`)
        }
      } finally {
        await heal()
      }
      const sent = await stage.sendUntilAccepted(port)
      await stage.arrives(sent)
    },
  }),
  staged({
    id: 'WQ-6.4',
    kind: 'fault',
    title: 'after refused connections, consumers and sends resume by themselves',
    hint: 'never give up reconnecting, and let the back-off grow to seconds, not to minutes',
    notShown: notShownWithout('refuse'),
    run: resumesAfter(async ({ faults, within }, send) => {
      const heal = await faults.refuse()
      try {
        await within('a send ends while connections are refused', assert.rejects(send.once(), isPassing))
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
    notShown: notShownWithout('stall'),
    run: resumesAfter(async ({ faults, within }, send) => {
      const heal = await faults.stall()
      try {
        await within('a send ends while nothing gets through', assert.rejects(send.once(), isPassing))
      } finally {
        await heal()
      }
    }),
  }),
]
