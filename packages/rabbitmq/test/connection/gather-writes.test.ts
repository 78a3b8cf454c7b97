import { Duplex } from 'node:stream'
import { setImmediate as endOfTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { gatherWrites } from '../../src/connection/gather-writes.ts'

/** A socket that groups the chunks of each call. */
const socketWith = (calls: string[][]): Duplex =>
  new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      calls.push([chunk.toString()])
      done()
    },
    writev(chunks, done) {
      calls.push(chunks.map(({ chunk }) => String(chunk)))
      done()
    },
  })

test('writes of one turn go to the socket in one call, in order', async () => {
  const calls: string[][] = []
  const socket = socketWith(calls)
  gatherWrites(socket)
  for (const frame of ['a', 'b', 'c']) socket.write(frame)
  await endOfTurn()
  for (const frame of ['d', 'e']) socket.write(frame)
  await endOfTurn()
  expect(calls).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e'],
  ])
})

test('a full socket returns false, and emits drain when it has room again', async () => {
  const socket = socketWith([])
  gatherWrites(socket)
  expect(socket.write(Buffer.alloc(socket.writableHighWaterMark))).toBe(false)
  await new Promise((resolve) => socket.once('drain', resolve))
})

test('writes before the end are sent before the end', async () => {
  const calls: string[][] = []
  const socket = socketWith(calls)
  gatherWrites(socket)
  socket.write('a')
  socket.write('b')
  socket.end()
  await new Promise((resolve) => socket.once('finish', resolve))
  expect(calls.flat()).toEqual(['a', 'b'])
})
