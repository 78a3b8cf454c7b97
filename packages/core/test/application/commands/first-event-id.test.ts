import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEvent, encodeEvent } from '../../../src/codec/index.ts'
import { firstEventIdOf, idOfText, portableIdOfText } from '../../../src/application/commands/first-event-id.ts'
import type { TaskCreated } from '../../../src/domain/task-event.ts'
import { event } from '../../domain/arbitraries.ts'

const created = event.filter((each): each is TaskCreated => each.type === 'TaskCreated')

/** Every event with one place changed, at any depth. */
const changed = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value))
    return [[...(value as readonly unknown[]), 'more'], ...value.flatMap((item, at) => changed(item).map((other) => value.with(at, other)))]
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([name, item]) => changed(item).map((other) => ({ ...value, [name]: other })))
  if (typeof value === 'number') return [value + 1 === value ? 0 : value + 1]
  if (typeof value === 'string') return [`${value}x`]
  return [value === null ? 0 : null]
}

describe('the id of a first event', () => {
  it('is the same after the event was stored and read', () => {
    fc.assert(
      fc.property(created, (each) => {
        expect(firstEventIdOf(decodeEvent(encodeEvent(each)) as TaskCreated)).toBe(firstEventIdOf(each))
      }),
    )
  })

  it('differs if anything that the event says differs, except its own version, type and id', () => {
    fc.assert(
      fc.property(created, ({ type: _type, version: _version, eventId: _eventId, ...rest }) => {
        const all = changed({ timeoutMs: 1, notBefore: 2, idempotencyKey: 'k', retryOf: rest.taskId, ...rest }) as readonly TaskCreated[]
        const ids = all.map((each) => firstEventIdOf(each))
        expect(ids).not.toContain(firstEventIdOf(rest as TaskCreated))
        expect(new Set(ids).size).toBe(ids.length)
      }),
    )
  })

  it('is the same on a platform without a hash function', () => {
    expect(idOfText).not.toBe(portableIdOfText)
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => idOfText(text) === portableIdOfText(text)))
  })
})
