import type { Message } from 'amqplib'
import { describe, expect, it } from 'vitest'
import { deathOf } from '../../src/queue/death.ts'
import { keptOf } from '../../src/queue/message-sender.ts'

const withHeaders = (headers: object): Pick<Message, 'properties'> => ({ properties: { headers } as Message['properties'] })

/** A table whose text cannot be made: a client of the broker may send one. */
const hostile = { toString: 'x', valueOf: 'y' }

describe('what the headers of a dead letter say', () => {
  it('is told whatever a client has written into them', () => {
    for (const deaths of [
      hostile,
      [],
      [hostile],
      [{ reason: hostile, time: hostile }],
      [{ reason: 'rejected', time: { value: 1e300 } }],
      ['x'],
    ])
      expect(deathOf(withHeaders({ 'x-death': deaths, 'taskledger-letter': hostile, 'taskledger-releases': hostile }))).toMatchObject({
        releases: 0,
      })
  })

  it('has a time only if a Date can have it', () => {
    for (const deadAt of [1e300, -1e300, NaN, Infinity, '1', null])
      expect(deathOf(withHeaders({ 'taskledger-reason': 'why', 'taskledger-dead-at': deadAt }))).toEqual({ why: 'why', releases: 0 })
    expect(deathOf(withHeaders({ 'x-death': [{ reason: 'rejected', time: { value: 1_700_000_000 } }] }))).toEqual({
      why: 'the broker dead-lettered it: rejected',
      deadAt: 1_700_000_000_000,
      releases: 0,
    })
    expect(deathOf(withHeaders({ 'x-death': [{ reason: 'rejected', time: { value: 1e300 } }] }))).not.toHaveProperty('deadAt')
  })
})

describe('the copy of a message', () => {
  it('keeps its content type and its correlation id', () => {
    const properties = { contentType: 'application/json', correlationId: 'a task', messageId: '7', headers: {} }
    expect(keptOf(properties)).toEqual({ contentType: 'application/json', correlationId: 'a task' })
  })

  it('leaves out what a client has written and AMQP does not take back', () => {
    // 200 bytes that are not UTF-8, as the library decodes them: 600 bytes.
    const tooLong = Buffer.alloc(200, 0xff).toString()
    expect(keptOf({ contentType: tooLong, correlationId: tooLong })).toEqual({})
    expect(keptOf({ contentType: undefined, correlationId: 7 })).toEqual({})
    expect(keptOf({ contentType: 'text/plain', correlationId: tooLong })).toEqual({ contentType: 'text/plain' })
  })
})
