import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkEvent } from '../../src/codec/event-codec.ts'
import { decodeEvent, encodeEvent } from '../../src/codec/index.ts'
import type { TaskEvent } from '../../src/domain/task-event.ts'
import { UnknownEventType } from '../../src/ports/index.ts'
import { completeEvents } from '../../src/testing/given-when-then.ts'
import { event } from '../domain/arbitraries.ts'
import { boom, created } from '../domain/stories.ts'

const [failed] = completeEvents([{ type: 'TaskFailed', attempt: 1, error: boom, retryAt: 1_704_100_000_000 }])
const written = JSON.parse(encodeEvent(failed ?? neverMade())) as Record<string, unknown>

function neverMade(): never {
  throw new Error('completeEvents makes as many events as it is given')
}

/** The text of an event with some fields changed; those that are undefined are left out. */
const changed = (changes: Record<string, unknown>): string => JSON.stringify({ ...written, ...changes })

test('every event is read as it was written', () => {
  fc.assert(
    fc.property(event, (event) => {
      expect(decodeEvent(encodeEvent(event))).toStrictEqual(event)
    }),
  )
})

test('the stored text stays the same', () => {
  // Recorded: histories of this form exist. Whoever has to change this raises the version of the codec.
  expect(encodeEvent(failed ?? neverMade())).toBe(
    '{"v":1,"taskId":"018cc251-f400-7000-8000-000000000000","version":1,"eventId":"event-1","at":1704067200000,"node":"node-a",' +
      '"type":"TaskFailed","attempt":1,"error":{"name":"Error","message":"boom"},"retryAt":1704100000000}',
  )
})

describe('the reader is tolerant', () => {
  test('unknown fields are dropped', () => {
    expect(decodeEvent(changed({ mood: 'sad', v: 2 }))).toStrictEqual(failed)
  })
  test('optional fields may be absent', () => {
    expect(decodeEvent(changed({ retryAt: undefined }))).not.toHaveProperty('retryAt')
  })
  test('a property that is named like the prototype stays a property', () => {
    const [event] = completeEvents([
      created({ task: { type: 't', version: 1, payload: JSON.parse('{"__proto__":{"polluted":true}}') as never } }),
    ])
    const decoded = decodeEvent(encodeEvent(event ?? neverMade()))
    expect(JSON.stringify(decoded)).toContain('"payload":{"__proto__":{"polluted":true}}')
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('an event of an unknown type', () => {
  test('is an error that names the type, the task and the version', () => {
    const decode = (): unknown => decodeEvent(changed({ type: 'TaskPaused', until: 3 }))
    expect(decode).toThrow(UnknownEventType)
    expect(decode).toThrow(expect.objectContaining({ code: 'UNKNOWN_EVENT_TYPE', eventType: 'TaskPaused' }))
    expect(decode).toThrow(/task 018cc251-f400-7000-8000-000000000000 .*"TaskPaused".* version 1/)
  })
  test.each(['toString', 'constructor', '__proto__', ''])('even where it is called "%s"', (type) => {
    expect(() => decodeEvent(`{"v":1,"type":${JSON.stringify(type)}}`)).toThrow(expect.objectContaining({ code: 'UNKNOWN_EVENT_TYPE' }))
  })
})

describe('a text that is not an event is malformed', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['cut off', changed({}).slice(0, -10)],
    ['a number', '7'],
    ['null', 'null'],
    ['an array', '[]'],
    ['of no codec version', changed({ v: undefined })],
    ['of an impossible codec version', changed({ v: 0 })],
    ['of a codec version that is text', changed({ v: '1' })],
    ['of no type', changed({ type: undefined })],
    ['of a type that is no text', changed({ type: 7 })],
  ])('%s', (_what, text) => {
    expect(() => decodeEvent(text)).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
  })

  test.each([
    ['taskId', undefined],
    ['taskId', 'inbox'],
    ['version', '1'],
    ['version', -1],
    ['version', 1.5],
    ['eventId', 7],
    ['at', null],
    ['at', '2024-01-01'],
    ['node', undefined],
    ['attempt', undefined],
    ['error', 'boom'],
    ['error', { name: 'Error' }],
    ['retryAt', null],
    ['progress', { attempt: 1, sequence: 1, at: 1 }],
  ])('the field %s being %j, by name', (field, value) => {
    expect(() => decodeEvent(changed({ [field]: value }))).toThrow(
      expect.objectContaining({ code: 'MALFORMED', message: expect.stringContaining(`"${field}"`) as string }),
    )
  })

  test('any text is read or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string().map((text) => changed({}) + text),
        ),
        (text) => {
          try {
            decodeEvent(text)
          } catch (error) {
            expect(['MALFORMED', 'UNKNOWN_EVENT_TYPE']).toContain((error as { code?: string }).code)
          }
        },
      ),
    )
  })
})

test('whatever is written can be read back: anything else is refused', () => {
  const oddValue = fc.oneof(fc.anything(), fc.constantFrom('5s', Number.NaN, -1, 1.5, null, undefined, [], {}, 'ORDER-17'))
  fc.assert(
    fc.property(event, fc.array(fc.tuple(fc.nat(), oddValue), { maxLength: 2 }), (right, changes) => {
      const names = Object.keys(right)
      const odd = Object.fromEntries(changes.map(([index, value]) => [names[index % names.length], value]))
      const changed = { ...right, ...odd, type: right.type } as TaskEvent
      let text: string
      try {
        text = encodeEvent(changed)
      } catch (error) {
        expect(error).toMatchObject({ code: 'MALFORMED' })
        expect(() => checkEvent(changed)).toThrow(expect.objectContaining({ code: 'MALFORMED' }) as Error)
        return
      }
      checkEvent(changed)
      expect(JSON.stringify(decodeEvent(text))).toBe(JSON.stringify(decodeEvent(encodeEvent(decodeEvent(text)))))
    }),
    { numRuns: 1_000 },
  )
})
