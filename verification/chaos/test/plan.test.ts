import { expect, test } from 'vitest'
import { places, planOf, roleOf } from '../src/plan.ts'

const options = { seed: 1, forMs: 3_600_000, ttlMs: 15_000, cassandraNodes: 1 }

test('the same seed strikes in the same way, another one in another', () => {
  expect(planOf(options)).toEqual(planOf(options))
  expect(planOf({ ...options, seed: 2 })).not.toEqual(planOf(options))
})

test('an hour has everything that can go wrong, in the order of time', () => {
  const plan = planOf(options)
  expect(new Set(plan.map(({ fault }) => fault.type))).toEqual(
    new Set(['kill', 'stop', 'freeze', 'cut', 'stall', 'loseReplies', 'refuse', 'outage', 'pause', 'deleteQueue']),
  )
  expect(plan.map(({ atMs }) => atMs)).toEqual(plan.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
})

test('some stand still for longer than a lease, every place is struck, and a client is never killed', () => {
  const plan = planOf(options)
  expect(plan.some(({ fault }) => fault.type === 'freeze' && roleOf(fault.place) === 'worker' && fault.forMs > options.ttlMs)).toBe(true)
  const ended = plan.flatMap(({ fault }) => (fault.type === 'kill' || fault.type === 'stop' ? [fault.place] : []))
  expect(new Set(ended)).toEqual(new Set(places.filter((place) => roleOf(place) !== 'client')))
})

test('of a ring one node is away at a time, and nothing else is done to it', () => {
  const plan = planOf({ ...options, cassandraNodes: 3 })
  const onCassandra = plan.filter(({ fault }) => 'engine' in fault && fault.engine === 'cassandra')
  expect(new Set(onCassandra.map(({ fault }) => fault.type))).toEqual(new Set(['outage']))
  for (const [index, { atMs, fault }] of onCassandra.entries())
    expect(onCassandra[index + 1]?.atMs ?? Infinity).toBeGreaterThan(atMs + fault.forMs)
})
