import { expect, test } from 'vitest'
import { NoticeSequence } from '../../src/bus/notice-sequence.ts'

test('an unbroken sequence misses nothing, whatever other senders send in between', () => {
  const [listener, one, other] = [new NoticeSequence(), new NoticeSequence(), new NoticeSequence()]
  for (let count = 0; count < 3; count++) {
    for (const sender of [one, other]) expect(listener.isMissingBefore(sender.next())).toBe(false)
  }
})

test('a missing message is reported once', () => {
  const [listener, sender] = [new NoticeSequence(), new NoticeSequence()]
  listener.isMissingBefore(sender.next())
  sender.next()
  expect(listener.isMissingBefore(sender.next())).toBe(true)
  expect(listener.isMissingBefore(sender.next())).toBe(false)
})

test('a message that comes late, because the broker refused it at first, does not make the next one look missing', () => {
  const [listener, sender] = [new NoticeSequence(), new NoticeSequence()]
  const [first, refused, third, fourth] = [sender.next(), sender.next(), sender.next(), sender.next()]
  expect([first, third, refused, fourth].map((headers) => listener.isMissingBefore(headers))).toEqual([false, true, false, false])
})

test('a listener that begins misses nothing, and foreign headers are ignored', () => {
  const [listener, sender] = [new NoticeSequence(), new NoticeSequence()]
  sender.next()
  expect(listener.isMissingBefore(sender.next())).toBe(false)
  listener.reset()
  sender.next()
  expect(listener.isMissingBefore(sender.next())).toBe(false)
  for (const headers of [undefined, {}, { 'taskledger-sender': 1, 'taskledger-number': 'x' }])
    expect(listener.isMissingBefore(headers)).toBe(false)
})

test('a client knows the last of its own messages that it has received', () => {
  const self = new NoticeSequence()
  const headers = self.next()
  expect([self.count, self.lastOwnNumber]).toEqual([1, 0])
  self.isMissingBefore(headers)
  expect(self.lastOwnNumber).toBe(1)
})

test('at most a thousand senders are remembered', () => {
  const [listener, first] = [new NoticeSequence(), new NoticeSequence()]
  listener.isMissingBefore(first.next())
  for (let count = 0; count < 1_000; count++) listener.isMissingBefore(new NoticeSequence().next())
  first.next()
  expect(listener.isMissingBefore(first.next())).toBe(false)
})
