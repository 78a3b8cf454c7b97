import { expect, test } from 'vitest'
import { copyOf } from '../src/copy.ts'

test('a copy is equal and shares nothing with the original', () => {
  const value = { list: [{ deep: [1, 'é', null, true] }], empty: {}, none: [] as string[] }
  const copy = copyOf(value)
  expect(copy).toEqual(value)
  value.list[0]?.deep.push(2)
  value.none.push('x')
  expect(copy).toEqual({ list: [{ deep: [1, 'é', null, true] }], empty: {}, none: [] })
})

test('a key named __proto__ stays a key', () => {
  const value = JSON.parse('{"__proto__": {"admin": true}, "plain": 1}') as Record<string, unknown>
  const copy = copyOf(value)
  expect(JSON.stringify(copy)).toBe(JSON.stringify(value))
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
  expect(copy['admin']).toBeUndefined()
  expect(Object.getOwnPropertyDescriptor(copy, '__proto__')?.value).not.toBe(Object.getOwnPropertyDescriptor(value, '__proto__')?.value)
})
