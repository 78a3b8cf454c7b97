import { expect, test } from 'vitest'
import { NoticeSequence } from '../../src/bus/notice-sequence.ts'

test('nothing is missing in an unbroken row, whoever else is heard in between', () => {
  const [ear, one, other] = [new NoticeSequence(), new NoticeSequence(), new NoticeSequence()]
  for (let count = 0; count < 3; count++) {
    for (const sender of [one, other]) expect(ear.isMissingBefore(sender.next())).toBe(false)
  }
})

test('what is missing is noticed once', () => {
  const [ear, sender] = [new NoticeSequence(), new NoticeSequence()]
  ear.isMissingBefore(sender.next())
  sender.next()
  expect(ear.isMissingBefore(sender.next())).toBe(true)
  expect(ear.isMissingBefore(sender.next())).toBe(false)
})

test('whoever begins to listen misses nothing, and foreign headers say nothing', () => {
  const [ear, sender] = [new NoticeSequence(), new NoticeSequence()]
  sender.next()
  expect(ear.isMissingBefore(sender.next())).toBe(false)
  ear.startAfresh()
  sender.next()
  expect(ear.isMissingBefore(sender.next())).toBe(false)
  for (const headers of [undefined, {}, { 'taskledger-sender': 1, 'taskledger-number': 'x' }])
    expect(ear.isMissingBefore(headers)).toBe(false)
})

test('a client knows what it heard of itself', () => {
  const self = new NoticeSequence()
  const headers = self.next()
  expect([self.count, self.heardOfSelf]).toEqual([1, 0])
  self.isMissingBefore(headers)
  expect(self.heardOfSelf).toBe(1)
})

test('no more than a thousand senders are remembered', () => {
  const [ear, first] = [new NoticeSequence(), new NoticeSequence()]
  ear.isMissingBefore(first.next())
  for (let count = 0; count < 1_000; count++) ear.isMissingBefore(new NoticeSequence().next())
  first.next()
  expect(ear.isMissingBefore(first.next())).toBe(false)
})
