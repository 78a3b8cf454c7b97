import { expect, test } from 'vitest'
import { places, roleOf } from '../src/plan/places.ts'
import { planOf } from '../src/plan/plan.ts'

const options = { seed: 1, forMs: 3_600_000, ttlMs: 15_000, cassandraNodes: 1 }

test('the same seed gives the same plan, another seed another one', () => {
  expect(planOf(options)).toEqual(planOf(options))
  expect(planOf({ ...options, seed: 2 })).not.toEqual(planOf(options))
})

test('an hour has every kind of fault, in the order of time', () => {
  const plan = planOf(options)
  expect(new Set(plan.map(({ fault }) => fault.type))).toEqual(
    new Set(['kill', 'stop', 'freeze', 'cut', 'stall', 'loseReplies', 'refuse', 'outage', 'pause', 'deleteQueue']),
  )
  expect(plan.map(({ atMs }) => atMs)).toEqual(plan.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
})

test('some workers are frozen for longer than a lease, and every process but the clients is killed or stopped', () => {
  const plan = planOf(options)
  expect(plan.some(({ fault }) => fault.type === 'freeze' && roleOf(fault.place) === 'worker' && fault.forMs > options.ttlMs)).toBe(true)
  const ended = plan.flatMap(({ fault }) => (fault.type === 'kill' || fault.type === 'stop' ? [fault.place] : []))
  expect(new Set(ended)).toEqual(new Set(places.filter((place) => roleOf(place) !== 'client')))
})

test('a ring only has outages, of one node at a time', () => {
  const plan = planOf({ ...options, cassandraNodes: 3 })
  const onCassandra = plan.filter(({ fault }) => 'engine' in fault && fault.engine === 'cassandra')
  expect(new Set(onCassandra.map(({ fault }) => fault.type))).toEqual(new Set(['outage']))
  for (const [index, { atMs, fault }] of onCassandra.entries())
    expect(onCassandra[index + 1]?.atMs ?? Infinity).toBeGreaterThan(atMs + fault.forMs)
})
