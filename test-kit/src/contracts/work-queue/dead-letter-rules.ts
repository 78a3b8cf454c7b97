import type { DeadLetter, WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { failedWith, holds, same } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
import { withoutFault, withoutHook } from './not-shown.ts'
import { acceptAtOnce, historyOf, idsOf, passing, sortedIdsOf, staged } from './stage.ts'

const taskIdsOf = (letters: readonly DeadLetter[]): readonly string[] => letters.map(({ message }) => message?.taskId ?? 'no task')

interface Settling {
  readonly port: WorkQueue
  readonly queue: string
  readonly taskId: string | undefined
}

/** Settles one letter while the letters are read. The iteration is left meanwhile, and has to wait for that. False if it is not listed. */
const settleIfListed = async ({ port, queue, taskId }: Settling, how: (letter: DeadLetter) => Promise<void>): Promise<boolean> => {
  for await (const letter of port.deadLetters(queue)) {
    if (letter.message?.taskId !== taskId) continue
    await how(letter)
    return true
  }
  return false
}

const settle = async (settling: Settling, how: (letter: DeadLetter) => Promise<void>): Promise<void> => {
  holds(await settleIfListed(settling, how), `the dead letter of task ${settling.taskId} is not listed`)
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
        same(taskIdsOf(letters), idsOf(sent), 'the tasks of the dead letters, the oldest first')
        for (const [index, { id, message, text, why, deadAt, releases }] of letters.entries()) {
          same(message, sent[index], `the message of dead letter ${index + 1}`)
          holds(text.includes(message?.taskId ?? 'no task'), `the text of dead letter ${index + 1} does not show its message: ${text}`)
          same(why, stage.reasonOf(index), `the reason of dead letter ${index + 1}`)
          same(releases, 1, `the releases of dead letter ${index + 1}`)
          // A minute: the clocks of the engine and of this machine may differ.
          holds(deadAt !== undefined && Math.abs(deadAt - begunAt) < 60_000, `a message died at ${deadAt}, and was sent at ${begunAt}`)
          same(id, ids.get(message?.taskId) ?? id, `the id of dead letter ${index + 1}, when it is listed again`)
          ids.set(message?.taskId, id)
        }
        same(new Set(ids.values()).size, sent.length, 'the different ids of the dead letters of different messages')
      }
      same(await stage.deadLetters(port, 'never-named-before'), [], 'the dead letters of a queue that was never named')
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
      await settle({ port: other, queue: stage.queue, taskId: sent[1]?.taskId }, async (letter) => {
        await letter.resend()
        await Promise.all([letter.resend(), letter.remove()])
      })
      await waitUntil('the other 3 letters are left, after one was sent again', async () => (await stage.deadLetters(port)).length === 3)
      same(
        taskIdsOf(await stage.deadLetters(port)),
        idsOf(sent.filter((_, index) => index !== 1)),
        'the tasks of the letters that are left, after one was sent again',
      )
      const worker = await stage.work(port, { handle: acceptAtOnce })
      await waitUntil('the message of the letter that was sent again is delivered', () => worker.runs.length > 0)
      await within('the consumer closes', worker.consumer.close())
      const [run] = worker.runs
      same(idsOf(worker.runs), [sent[1]?.taskId], 'the tasks that are delivered after one letter was sent again')
      same(run?.delivery.message, sent[1], 'the message of the letter that was sent again')
      same(run && historyOf(run.delivery), { redelivered: false, releases: 0 }, 'what its delivery says')
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
      await settle({ port, queue: stage.queue, taskId: sent[2]?.taskId }, async (letter) => {
        await letter.remove()
        await Promise.all([letter.remove(), letter.resend()])
      })
      const rest = sent.filter((_, index) => index !== 2)
      await waitUntil('the other 3 letters are left, after one was removed', async () => (await stage.deadLetters(port)).length === 3)
      same(taskIdsOf(await stage.deadLetters(port)), idsOf(rest), 'the tasks of the letters that are left, after one was removed')
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
        same(await outcomeOf(failing()), boom, 'the failure of an iteration whose reader fails')
      }
      await waitUntil(
        'every letter is there, after an iteration was left and one failed',
        async () => (await stage.deadLetters(port)).length === sent.length,
      )
      same(taskIdsOf(await stage.deadLetters(other)), idsOf(sent), 'the tasks of the letters, after an iteration was left and one failed')
      for (const client of [port, other]) {
        const controller = new AbortController()
        const aborted = async (): Promise<void> => {
          for await (const letter of client.deadLetters(stage.queue, { signal: controller.signal }))
            if (letter.message?.taskId === sent[1]?.taskId) controller.abort(boom)
        }
        same(await within('an aborted iteration ends', outcomeOf(aborted())), boom, 'the failure of an aborted iteration')
      }
      await waitUntil(
        'every letter is there, after two iterations were aborted',
        async () => (await stage.deadLetters(port)).length === sent.length,
      )
      // Each message dies again at once. The iteration ends all the same.
      const worker = await stage.work(other, { handle: (delivery) => delivery.reject('again') })
      const resendAll = async (): Promise<void> => {
        for await (const letter of port.deadLetters(stage.queue)) await letter.resend()
      }
      await within('an iteration over letters that die again ends', resendAll())
      await waitUntil('every message was delivered again', () => new Set(idsOf(worker.runs)).size === sent.length && worker.running === 0)
      await waitUntil('every message is a dead letter again', async () => (await stage.deadLetters(port)).length === sent.length)
      same(taskIdsOf(await stage.deadLetters(port)).toSorted(), sortedIdsOf(sent), 'the tasks of the letters that died again')
    },
  }),
  staged({
    id: 'WQ-9.5',
    kind: 'fault',
    title: 'a client that dies while it reads dead letters loses none of them',
    hint: 'remove nothing before it is settled: what a dead client had borrowed goes back by itself',
    notShown: withoutHook('kill'),
    run: async ({ port, peer, kill }, stage) => {
      const sent = await stage.dies(4)
      const doomed = await peer()
      const reading = doomed.deadLetters(stage.queue)[Symbol.asyncIterator]()
      for (let read = 0; read < 3; read++) await reading.next()
      await kill?.(doomed)
      let letters: readonly DeadLetter[] = []
      await stage.comesBack(
        'every letter is listed again, after their reader died',
        async () => (letters = await stage.deadLetters(port)).length >= sent.length,
      )
      same([...new Set(taskIdsOf(letters))].toSorted(), sortedIdsOf(sent), 'the tasks of the letters, after their reader died')
    },
  }),
  staged({
    id: 'WQ-9.6',
    kind: 'fault',
    title: 'a letter whose resend gets no reply is delivered, is still a dead letter, or both: it is never lost',
    hint: 'send the copy first and wait for its confirmation; remove the letter only then',
    notShown: withoutFault('loseReplies'),
    run: async ({ port, faults, within, waitUntil, observe }, stage) => {
      const sent = await stage.dies(3)
      const reading = port.deadLetters(stage.queue)[Symbol.asyncIterator]()
      const { value: letter } = await reading.next()
      holds(letter !== undefined, 'no dead letter is listed, though three messages died')
      const heal = await faults.loseReplies()
      const resending = outcomeOf(letter.resend())
      await Promise.race([resending, stage.moment()])
      await heal()
      const failure = await within('a resend whose reply is lost ends', resending)
      observe({ failure })
      await stage.sendUntilTaken('on a new connection, after the one whose replies were lost', port, stage.message(), 'other')
      if (failure !== undefined) failedWith(failure, passing, 'a resend whose reply is lost')
      await within('the iteration with the lost reply ends', Promise.resolve(reading.return?.()))
      const worker = await stage.work(port, { handle: acceptAtOnce })
      const seen = async (): Promise<ReadonlySet<unknown>> => new Set([...idsOf(worker.runs), ...taskIdsOf(await stage.deadLetters(port))])
      await waitUntil(
        'all 3 messages are delivered or dead letters, after a resend without a reply',
        async () => (await seen()).size === sent.length,
      )
      if (failure === undefined) await waitUntil('a letter whose resend succeeded is delivered', () => worker.runs.length > 0)
      // What is left can be sent again.
      await waitUntil('all 3 messages are delivered, after the letters that were left were sent again', async () => {
        for (const { message } of await stage.deadLetters(port))
          await settleIfListed({ port, queue: stage.queue, taskId: message?.taskId }, (left) => left.resend())
        return new Set(idsOf(worker.runs)).size === sent.length
      })
    },
  }),
]
