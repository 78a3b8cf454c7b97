import assert from 'node:assert/strict'
import type { DeadLetter, WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { isPassing } from '../outcome.ts'
import { acceptAtOnce, idsOf, staged } from './stage.ts'

const taskIdsOf = (letters: readonly DeadLetter[]): readonly unknown[] => letters.map(({ message }) => message?.taskId)

/** Settles one letter while the letters are read. The iteration is left meanwhile, and has to wait for that. */
const settle = async (
  port: WorkQueue,
  queue: string,
  task: { readonly taskId: string } | undefined,
  how: (letter: DeadLetter) => Promise<void>,
): Promise<void> => {
  for await (const letter of port.deadLetters(queue)) if (letter.message?.taskId === task?.taskId) return how(letter)
  assert.fail(`the dead letter of task ${task?.taskId} is listed`)
}

/** Rules 9.x: dead letters can be read, sent again and removed, and none is lost. */
export const deadLetterRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-9.1',
    kind: 'plain',
    title: 'dead letters are listed oldest first, with message, reason, time and releases, to every client, and stay where they are',
    hint: 'reading must not take them out of the queue: hand each one back in its place',
    run: async ({ port, peer, observe }, stage) => {
      const other = await peer()
      const begunAt = Date.now()
      const sent = await stage.dies(5, { releases: 1 })
      const ids = new Map<unknown, string>()
      for (const client of [port, other, port, other]) {
        const letters = await stage.deadLetters(client)
        observe(letters)
        assert.deepEqual(taskIdsOf(letters), idsOf(sent))
        for (const [index, { id, message, text, why, deadAt, releases }] of letters.entries()) {
          assert.deepEqual(message, sent[index])
          assert.ok(text.includes(message?.taskId ?? 'no task'), 'the text of the message is shown')
          assert.equal(why, stage.reasonOf(index))
          assert.equal(releases, 1)
          // A minute: the clocks of the engine and of this machine may differ.
          assert.ok(deadAt !== undefined && Math.abs(deadAt - begunAt) < 60_000, `it died at ${deadAt}, and was sent at ${begunAt}`)
          assert.equal(ids.get(message?.taskId) ?? id, id, 'a letter keeps its id')
          ids.set(message?.taskId, id)
        }
        assert.equal(new Set(ids.values()).size, sent.length, 'letters of different messages have different ids')
      }
      assert.deepEqual(await stage.deadLetters(port, 'never-named-before'), [])
    },
  }),
  staged({
    id: 'WQ-9.2',
    kind: 'plain',
    title: 'a dead letter that is sent again reaches a consumer as new, and is a dead letter no more; the others stay',
    hint: 'send a copy without the headers of its death, wait until it is stored, and only then remove the letter',
    run: async ({ port, peer, waitUntil, within }, stage) => {
      const other = await peer()
      const sent = await stage.dies(4, { releases: 2 })
      await settle(other, stage.queue, sent[1], async (letter) => {
        await letter.resend()
        await Promise.all([letter.resend(), letter.remove()])
      })
      await waitUntil('the others are left', async () => (await stage.deadLetters(port)).length === 3)
      assert.deepEqual(taskIdsOf(await stage.deadLetters(port)), idsOf([sent[0], sent[2], sent[3]].filter((each) => each !== undefined)))
      const worker = await stage.work(port, { handle: acceptAtOnce })
      await waitUntil('the message is delivered', () => worker.runs.length > 0)
      await within('the consumer closes', worker.consumer.close())
      assert.deepEqual(idsOf(worker.runs), [sent[1]?.taskId])
      assert.deepEqual(worker.runs[0]?.delivery.message, sent[1])
      assert.deepEqual([worker.runs[0]?.delivery.releases, worker.runs[0]?.delivery.redelivered], [0, false])
      await stage.nothingLeft()
    },
  }),
  staged({
    id: 'WQ-9.3',
    kind: 'plain',
    title: 'a dead letter that is removed is gone, and the others stay in their order',
    hint: 'acknowledge this one message, not all messages up to it',
    run: async ({ port, waitUntil }, stage) => {
      const sent = await stage.dies(4)
      await settle(port, stage.queue, sent[2], async (letter) => {
        await letter.remove()
        await Promise.all([letter.remove(), letter.resend()])
      })
      const rest = sent.filter((_, index) => index !== 2)
      await waitUntil('the others are left', async () => (await stage.deadLetters(port)).length === 3)
      assert.deepEqual(taskIdsOf(await stage.deadLetters(port)), idsOf(rest))
      await stage.nothingLeft()
    },
  }),
  staged({
    id: 'WQ-9.4',
    kind: 'plain',
    title:
      'an iteration that is left or fails keeps every letter in its order, an aborted one keeps every letter, and letters may die meanwhile',
    hint: 'give back what was handed out in the `finally` of the iteration, and end at the letters that were there when it began',
    run: async ({ port, peer, waitUntil, within }, stage) => {
      const other = await peer()
      const sent = await stage.dies(5)
      const boom = new Error('the reader fails')
      for (const client of [port, other]) {
        for await (const letter of client.deadLetters(stage.queue)) if (letter.message?.taskId === sent[2]?.taskId) break
        const failing = async (): Promise<void> => {
          for await (const letter of client.deadLetters(stage.queue)) if (letter.message?.taskId === sent[3]?.taskId) throw boom
        }
        await assert.rejects(failing(), boom)
      }
      await waitUntil('every letter is there', async () => (await stage.deadLetters(port)).length === sent.length)
      assert.deepEqual(taskIdsOf(await stage.deadLetters(other)), idsOf(sent))
      for (const client of [port, other]) {
        const controller = new AbortController()
        const aborted = async (): Promise<void> => {
          for await (const letter of client.deadLetters(stage.queue, { signal: controller.signal }))
            if (letter.message?.taskId === sent[1]?.taskId) controller.abort(boom)
        }
        await assert.rejects(within('an aborted iteration ends', aborted()), boom)
      }
      await waitUntil('every letter is there again', async () => (await stage.deadLetters(port)).length === sent.length)
      // Each message dies again at once. The iteration ends all the same.
      const worker = await stage.work(other, { handle: (delivery) => delivery.reject('again') })
      const resendAll = async (): Promise<void> => {
        for await (const letter of port.deadLetters(stage.queue)) await letter.resend()
      }
      await within('an iteration over letters that die again ends', resendAll())
      await waitUntil('every message was delivered again', () => new Set(idsOf(worker.runs)).size === sent.length && worker.running === 0)
      await waitUntil('every message is a dead letter again', async () => (await stage.deadLetters(port)).length === sent.length)
      assert.deepEqual(new Set(taskIdsOf(await stage.deadLetters(port))), new Set(idsOf(sent)))
    },
  }),
  staged({
    id: 'WQ-9.5',
    kind: 'fault',
    title: 'a client that dies while it reads dead letters loses none of them',
    hint: 'remove nothing before it is settled: what a dead client had borrowed goes back by itself',
    notShown: ({ kill }) => (kill === undefined ? 'the harness has no hook to kill a client' : undefined),
    run: async ({ port, peer, kill }, stage) => {
      const sent = await stage.dies(4)
      const doomed = await peer()
      const reading = doomed.deadLetters(stage.queue)[Symbol.asyncIterator]()
      for (let read = 0; read < 3; read++) await reading.next()
      await kill?.(doomed)
      let letters: readonly DeadLetter[] = []
      await stage.comesBack('every letter is listed again', async () => (letters = await stage.deadLetters(port)).length >= sent.length)
      assert.deepEqual(new Set(taskIdsOf(letters)), new Set(idsOf(sent)))
    },
  }),
  staged({
    id: 'WQ-9.6',
    kind: 'fault',
    title: 'a letter whose resend gets no reply is delivered, is still a dead letter, or both: it is never lost',
    hint: 'send the copy first and wait for its confirmation; remove the letter only then',
    notShown: ({ faults }) => (faults?.loseReplies === undefined ? 'the harness has no fault "loseReplies"' : undefined),
    run: async ({ port, faults, within, waitUntil, observe }, stage) => {
      const sent = await stage.dies(3)
      let failure: unknown
      const reading = port.deadLetters(stage.queue)[Symbol.asyncIterator]()
      const { value: letter } = await reading.next()
      assert.ok(letter !== undefined)
      const heal = await faults.loseReplies()
      const resending = letter.resend().catch((error: unknown) => (failure = error))
      await Promise.race([resending, stage.moment()])
      await heal()
      await within('a resend without a reply ends', resending)
      observe({ failure })
      assert.ok(failure === undefined || isPassing(failure), `the resend failed with ${String(failure)}`)
      await within('the iteration ends', Promise.resolve(reading.return?.()))
      const worker = await stage.work(port, { handle: acceptAtOnce })
      const seen = async (): Promise<ReadonlySet<unknown>> =>
        new Set([...idsOf(worker.runs), ...taskIdsOf(await stage.deadLetters(port).catch(() => []))])
      await waitUntil('every message is delivered or a dead letter', async () => (await seen()).size === sent.length)
      if (failure === undefined) await waitUntil('a letter that was sent again is delivered', () => worker.runs.length > 0)
      // What is left can be sent again.
      await waitUntil('the rest is sent again', async () => {
        for (const { message } of await stage.deadLetters(port).catch(() => []))
          await settle(port, stage.queue, message, (left) => left.resend()).catch(() => {})
        return new Set(idsOf(worker.runs)).size === sent.length
      })
    },
  }),
]
