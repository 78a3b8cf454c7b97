import { expect, test } from 'vitest'
import { requestsOf } from '../../src/listing/requests.ts'
import type { Statement } from '../../src/connection/session.ts'

const statement = (cql: string, bytes: number): Statement => ({ cql, params: [cql, 1, 'x'.repeat(bytes)] })

test('small batches share a request, in their order', () => {
  const [a, b, c] = [statement('a', 500), statement('b', 10), statement('c', 500)]
  expect(requestsOf([[a, b], [c]])).toEqual([[a, b, c]])
})

test('batches that Cassandra would warn of have a request each', () => {
  const batches = [[statement('a', 2_500)], [statement('b', 2_500)]]
  expect(requestsOf(batches)).toEqual(batches)
})

test('the size counts all statements, and the bytes of their text', () => {
  const many = [Array.from({ length: 100 }, () => statement('a', 50)), [statement('b', 1)]]
  expect(requestsOf(many)).toEqual(many)
  const wide = [[{ cql: 'a', params: ['€'.repeat(1_500)] }], [statement('b', 1)]]
  expect(requestsOf(wide)).toEqual(wide)
})
