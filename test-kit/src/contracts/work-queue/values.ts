import type { WorkMessage, WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
import { createdFor, messageWith } from './sample-messages.ts'
import { acceptAtOnce, staged } from './stage.ts'

const difficultMessages = (random: () => number): readonly WorkMessage[] => {
  const bare = messageWith(random, { version: 0, sentAt: 0 })
  const late = messageWith(random, { version: 1_000_000, sentAt: 8_640_000_000_000_000 })
  const full = messageWith(random, { sentAt: 1_709_208_000_123 })
  const everything = createdFor(full, {
    node: 'Köln 日本 👩‍👩‍👧‍👦',
    task: {
      type: 'reindex/größe',
      version: 3,
      payload: { a: [null, true, -1.5e-7, { 'b.c': '', ключ: '\u0000\u2028"\\' }], e: {}, f: [] },
    },
    queue: 'bleu céleste',
    retry: { maxAttempts: 5, maxCrashes: 0, backoff: { initialMs: 1, factor: 1.5, maxMs: 60_000, jitter: 0.25 } },
    timeoutMs: 3_600_000,
    notBefore: 1_709_209_000_000,
    labels: ['', 'nightly', 'ночь'],
    idempotencyKey: 'inbox#1',
    retryOf: bare.taskId,
  })
  const large = messageWith(random)
  const sixteenKibibytes = createdFor(large, { task: { type: 'reindex', version: 1, payload: { text: 'ü€💥x'.repeat((16 * 1024) / 10) } } })
  return [bare, late, { ...full, created: everything }, { ...large, created: sixteenKibibytes }]
}

export const valueRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-7.1',
    kind: 'plain',
    title: 'messages arrive equal, with or without their first event: unicode, nested, empty and large values (16 KiB)',
    hint: 'send JSON text in UTF-8 (the codec of core does it), and check the limits of headers and bodies',
    run: async ({ port, peer, random, waitUntil }, stage) => {
      const messages = difficultMessages(random)
      const worker = await stage.work(await peer(), { handle: acceptAtOnce })
      for (const message of messages) await port.send(stage.queue, message)
      await waitUntil(`all ${messages.length} messages are delivered`, () => worker.runs.length === messages.length)
      for (const message of messages) {
        same(worker.runs.find(({ taskId }) => taskId === message.taskId)?.delivery.message, message, 'a message as it was delivered')
      }
    },
  }),
  staged({
    id: 'WQ-7.2',
    kind: 'plain',
    title: 'a caller that changes its objects does not change the stored data',
    hint: 'copy on the way in and on the way out',
    run: async ({ port, random, waitUntil }, stage) => {
      const message = messageWith(random)
      const expected = {
        ...message,
        created: createdFor(message, { task: { type: 'reindex', version: 1, payload: { mailboxes: ['inbox'] } } }),
      }
      const given = structuredClone(expected)
      await port.send(stage.queue, given)
      spoil(given)
      const again: WorkMessage[] = []
      await stage.work(port, {
        handle: async (delivery, time) => {
          if (time === 1) {
            spoil(delivery.message)
            return delivery.release()
          }
          again.push(delivery.message)
          await delivery.accept()
        },
      })
      await waitUntil('the message comes again, after its release', () => again.length > 0)
      same(again, [expected], 'the message as it was delivered again, after sender and handler had changed their objects')
    },
  }),
]

const spoil = (message: WorkMessage): void => {
  const payload = message.created?.task.payload as { mailboxes?: string[] } | undefined
  payload?.mailboxes?.push('spoilt')
  Object.assign(message.created ?? {}, { node: 'spoilt' })
  Object.assign(message, { version: 99 })
}
