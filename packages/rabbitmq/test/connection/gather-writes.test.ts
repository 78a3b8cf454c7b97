import { Duplex } from 'node:stream'
import { setImmediate as endOfTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { gatherWrites } from '../../src/connection/gather-writes.ts'

/** A socket that keeps what came in one call together. */
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

test('what is written in one turn goes in one call, in its order, and the next turn again', async () => {
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

test('a full socket says so, and says when it has room again', async () => {
  const socket = socketWith([])
  gatherWrites(socket)
  expect(socket.write(Buffer.alloc(socket.writableHighWaterMark))).toBe(false)
  await new Promise((resolve) => socket.once('drain', resolve))
})

test('what was written before the end goes before it', async () => {
  const calls: string[][] = []
  const socket = socketWith(calls)
  gatherWrites(socket)
  socket.write('a')
  socket.write('b')
  socket.end()
  await new Promise((resolve) => socket.once('finish', resolve))
  expect(calls.flat()).toEqual(['a', 'b'])
})
