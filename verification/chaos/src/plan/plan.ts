import type { DeleteQueue, EngineFault, PlannedFault } from './faults.ts'
import type { Engine, Place } from './places.ts'
import { places, roleOf } from './places.ts'
import { Random } from './random.ts'

const workers = places.filter((place) => roleOf(place) === 'worker')

export interface PlanOptions {
  readonly seed: number
  readonly forMs: number
  readonly ttlMs: number
  /** With more than one node, Cassandra only suffers outages of one node at a time. */
  readonly cassandraNodes: number
}

/** How many workers may be gone or frozen at a time. */
const maxWorkersAway = 2

/** The time between two faults of engines, in milliseconds: without it nothing would ever run. */
const engineRestMs = 20_000

/** The faults of a run, in the order of time. The same seed gives the same plan. */
export const planOf = ({ seed, forMs, ttlMs, cassandraNodes }: PlanOptions): readonly PlannedFault[] => {
  const random = new Random(seed, 'plan')
  const isRing = cassandraNodes > 1
  const planned: PlannedFault[] = []
  const awayUntil = new Map<Place, number>()
  const isAway = (place: Place, atMs: number): boolean => (awayUntil.get(place) ?? 0) > atMs
  const present = (atMs: number): readonly Place[] => {
    const isCrowded = workers.filter((place) => isAway(place, atMs)).length >= maxWorkersAway
    return places.filter((place) => !isAway(place, atMs) && !(isCrowded && roleOf(place) === 'worker'))
  }
  let nextEngineMs = engineRestMs
  for (let atMs = random.between(1_000, 4_000); atMs < forMs; atMs += random.between(1_000, 7_000)) {
    if (atMs >= nextEngineMs) {
      const fault = isRing ? nodeFault(random, ttlMs, cassandraNodes) : engineFault(random, ttlMs)
      planned.push({ atMs, fault })
      nextEngineMs = atMs + fault.forMs + random.between(engineRestMs, 3 * engineRestMs)
      continue
    }
    const type = random.weighted({ kill: 30, stop: 6, freeze: 16, cut: 16, stall: 12, loseReplies: 10, refuse: 10 })
    if (type === 'kill' || type === 'stop' || type === 'freeze') {
      // The awaits of a killed client get no answer: clients are only frozen.
      const able = present(atMs).filter((place) => type === 'freeze' || roleOf(place) !== 'client')
      if (able.length === 0) continue
      const place = random.pick(able)
      const away = type === 'freeze' ? random.between(500, 2 * ttlMs) : random.between(0, 3_000)
      planned.push({ atMs, fault: { type, place, forMs: away } })
      // The next process of the place needs a moment to start.
      awayUntil.set(place, atMs + away + 6_000)
    } else {
      const one = random.pick(places)
      const affected = random.next() < 0.7 ? [one] : places.filter((place) => roleOf(place) === roleOf(one))
      const engine = isRing ? 'rabbitmq' : random.pick<Engine>(['cassandra', 'rabbitmq'])
      const lastsMs = random.between(500, random.next() < 0.3 ? 2 * ttlMs : ttlMs / 2)
      const fault =
        type === 'cut' ? { type, places: affected, engine, forMs: 0 as const } : { type, places: affected, engine, forMs: lastsMs }
      planned.push({ atMs, fault })
    }
  }
  return planned
}

const nodeFault = (random: Random, ttlMs: number, nodes: number): EngineFault => ({
  type: 'outage',
  engine: 'cassandra',
  node: random.between(0, nodes - 1),
  forMs: random.between(0, 2 * ttlMs),
})

const engineFault = (random: Random, ttlMs: number): EngineFault | DeleteQueue => {
  const engine = random.pick<Engine>(['cassandra', 'rabbitmq'])
  const type = random.weighted({ restart: 35, outage: 30, pause: 20, deleteQueue: 15 })
  if (type === 'deleteQueue') return { type, engine: 'rabbitmq', node: 0, forMs: 0 }
  if (type === 'restart') return { type: 'outage', engine, node: 0, forMs: 0 }
  return { type, engine, node: 0, forMs: random.between(2_000, 2 * ttlMs) }
}
