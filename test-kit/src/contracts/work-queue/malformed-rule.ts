import type { WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { holds, same } from '../expectations.ts'
import { withoutHook } from './not-shown.ts'
import { acceptAtOnce, sortedIdsOf, staged } from './stage.ts'

const utf8 = new TextEncoder()

/** Bytes that no codec writes. */
export const junk: readonly Uint8Array[] = [
  new Uint8Array(),
  new Uint8Array([0xff, 0xfe, 0x00, 0x80, 0xc3]),
  ...[
    'not JSON',
    'null',
    '[]',
    '"text"',
    '{}',
    '{"v":1}',
    '{"v":1,"taskId":"x","version":1,"sentAt":1}',
    '{"v":99,"taskId":12}',
    '{"v":1,',
  ].map((text) => utf8.encode(text)),
]

export const malformedRule: Rule<WorkQueue> = staged({
  id: 'WQ-4.1',
  kind: 'plain',
  title: 'malformed messages reach no handler, do not stop the queue and become dead letters',
  hint: 'decode in a try, before a slot is taken; reject a message that cannot be decoded, and neither throw nor requeue it',
  notShown: withoutHook('inject'),
  run: async ({ port, inject, waitUntil, observe }, stage) => {
    for (const bytes of junk) await inject?.(bytes, stage.queue)
    const before = await stage.send(2)
    const worker = await stage.work(port, { handle: acceptAtOnce })
    await waitUntil('messages behind malformed ones are delivered', () => worker.runs.length === 2)
    for (const bytes of junk) await inject?.(bytes, stage.queue)
    const after = await stage.send(2)
    await waitUntil('messages are delivered while malformed ones arrive', () => worker.runs.length === 4)
    await stage.quiet('behind malformed messages')
    same(sortedIdsOf(worker.runs), sortedIdsOf([...before, ...after]), 'the tasks that reached a handler, among malformed messages')
    await waitUntil(`all ${2 * junk.length} malformed messages are dead letters`, async () => {
      const dead = await stage.deadLetters(port)
      observe(dead)
      return dead.length === 2 * junk.length
    })
    for (const { message, text, why } of await stage.deadLetters(port)) {
      same(
        { message, text: typeof text, why: typeof why },
        { message: undefined, text: 'string', why: 'string' },
        'a malformed dead letter',
      )
      holds(text.length <= 16_384, `the text of a malformed dead letter has ${text.length} characters: at most 16,384 are to be shown`)
    }
  },
})
