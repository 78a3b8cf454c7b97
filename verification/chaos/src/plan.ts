import { Chance } from './chance.ts'

export type Role = 'worker' | 'submitter' | 'client'
export type Engine = 'cassandra' | 'rabbitmq'

/** The places of a run: the process of a place is replaced when it ends. */
export const places = ['worker-1', 'worker-2', 'worker-3', 'worker-4', 'submitter-1', 'submitter-2', 'client-1', 'client-2'] as const

export type Place = (typeof places)[number]

export const roleOf = (place: Place): Role => place.slice(0, place.indexOf('-')) as Role

const workers = places.filter((place) => roleOf(place) === 'worker')

/** SIGKILL, or SIGTERM; the successor comes a little later. */
export interface EndProcess {
  readonly type: 'kill' | 'stop'
  readonly place: Place
  readonly forMs: number
}

/** SIGSTOP, and SIGCONT later. */
export interface Freeze {
  readonly type: 'freeze'
  readonly place: Place
  readonly forMs: number
}

/** Connections between processes and an engine are reset. */
export interface Cut {
  readonly type: 'cut'
  readonly places: readonly Place[]
  readonly engine: Engine
  readonly forMs: 0
}

/** Something between processes and an engine, for a while. */
export interface BadNetwork {
  readonly type: 'stall' | 'loseReplies' | 'refuse'
  readonly places: readonly Place[]
  readonly engine: Engine
  readonly forMs: number
}

/** SIGKILL of an engine, and its start; or SIGSTOP and SIGCONT. */
export interface EngineFault {
  readonly type: 'outage' | 'pause'
  readonly engine: Engine
  /** Which of the nodes that it has: 0 for the first one. */
  readonly node: number
  readonly forMs: number
}

/** Somebody deletes the work queue. */
export interface QueueDeleted {
  readonly type: 'deleteQueue'
  readonly engine: 'rabbitmq'
  readonly node: 0
  readonly forMs: number
}

export type Fault = EndProcess | Freeze | Cut | BadNetwork | EngineFault | QueueDeleted

export interface PlannedFault {
  /** After the beginning, in milliseconds. */
  readonly atMs: number
  readonly fault: Fault
}

export interface PlanOptions {
  readonly seed: number
  readonly forMs: number
  readonly ttlMs: number
  /** How many nodes Cassandra has. Where it has more, one of them is away at a time, and nothing else is done to it. */
  readonly cassandraNodes: number
}

/** How many workers may be gone or stand still at a time. */
const mostWorkersAway = 2

/** After an engine came back it is left alone for a while, in milliseconds: else nothing would ever run. */
const engineRestMs = 20_000

/** The faults of a run, in the order in which they strike. The same seed gives the same plan. */
export const planOf = ({ seed, forMs, ttlMs, cassandraNodes }: PlanOptions): readonly PlannedFault[] => {
  const chance = new Chance(seed, 'plan')
  const isRing = cassandraNodes > 1
  const planned: PlannedFault[] = []
  const awayUntil = new Map<Place, number>()
  const isAway = (place: Place, atMs: number): boolean => (awayUntil.get(place) ?? 0) > atMs
  const present = (atMs: number): readonly Place[] => {
    const isCrowded = workers.filter((place) => isAway(place, atMs)).length >= mostWorkersAway
    return places.filter((place) => !isAway(place, atMs) && !(isCrowded && roleOf(place) === 'worker'))
  }
  let nextEngineMs = engineRestMs
  for (let atMs = chance.between(1_000, 4_000); atMs < forMs; atMs += chance.between(1_000, 7_000)) {
    if (atMs >= nextEngineMs) {
      const fault = isRing ? nodeFault(chance, ttlMs, cassandraNodes) : engineFault(chance, ttlMs)
      planned.push({ atMs, fault })
      nextEngineMs = atMs + fault.forMs + chance.between(engineRestMs, 3 * engineRestMs)
      continue
    }
    const type = chance.weighted({ kill: 30, stop: 6, freeze: 16, cut: 16, stall: 12, loseReplies: 10, refuse: 10 })
    if (type === 'kill' || type === 'stop' || type === 'freeze') {
      // Awaits of a client that is killed are not answered: clients only stand still.
      const able = present(atMs).filter((place) => type === 'freeze' || roleOf(place) !== 'client')
      if (able.length === 0) continue
      const place = chance.pick(able)
      const away = type === 'freeze' ? chance.between(500, 2 * ttlMs) : chance.between(0, 3_000)
      planned.push({ atMs, fault: { type, place, forMs: away } })
      // A successor needs a moment to begin.
      awayUntil.set(place, atMs + away + 6_000)
    } else {
      const one = chance.pick(places)
      const affected = chance.next() < 0.7 ? [one] : places.filter((place) => roleOf(place) === roleOf(one))
      const engine = isRing ? 'rabbitmq' : chance.pick<Engine>(['cassandra', 'rabbitmq'])
      const lastsMs = chance.between(500, chance.next() < 0.3 ? 2 * ttlMs : ttlMs / 2)
      const fault =
        type === 'cut' ? { type, places: affected, engine, forMs: 0 as const } : { type, places: affected, engine, forMs: lastsMs }
      planned.push({ atMs, fault })
    }
  }
  return planned
}

const nodeFault = (chance: Chance, ttlMs: number, nodes: number): EngineFault => ({
  type: 'outage',
  engine: 'cassandra',
  node: chance.between(0, nodes - 1),
  forMs: chance.between(0, 2 * ttlMs),
})

const engineFault = (chance: Chance, ttlMs: number): EngineFault | QueueDeleted => {
  const engine = chance.pick<Engine>(['cassandra', 'rabbitmq'])
  const type = chance.weighted({ restart: 35, outage: 30, pause: 20, deleteQueue: 15 })
  if (type === 'deleteQueue') return { type, engine: 'rabbitmq', node: 0, forMs: 0 }
  if (type === 'restart') return { type: 'outage', engine, node: 0, forMs: 0 }
  return { type, engine, node: 0, forMs: chance.between(2_000, 2 * ttlMs) }
}

/** A fault in words. */
export const inWords = (fault: Fault): string => {
  const seconds = `${(fault.forMs / 1000).toFixed(1)} s`
  switch (fault.type) {
    case 'kill':
    case 'stop':
      return `${fault.type} ${fault.place}`
    case 'freeze':
      return `freeze ${fault.place} for ${seconds}`
    case 'cut':
      return `cut ${fault.places.join(', ')} from ${fault.engine}`
    case 'stall':
    case 'loseReplies':
    case 'refuse':
      return `${fault.type} between ${fault.places.join(', ')} and ${fault.engine} for ${seconds}`
    case 'outage':
    case 'pause':
      return `${fault.type} of ${fault.engine}, node ${fault.node + 1}, for ${seconds}`
    case 'deleteQueue':
      return 'delete the work queue'
  }
}

/** The plan of the short run: each place of trouble once, so that it fits into seconds. */
export const shortPlan: readonly PlannedFault[] = [
  { atMs: 3_000, fault: { type: 'kill', place: 'worker-1', forMs: 0 } },
  { atMs: 5_000, fault: { type: 'cut', places: ['worker-2', 'submitter-1', 'client-1'], engine: 'cassandra', forMs: 0 } },
  { atMs: 6_000, fault: { type: 'kill', place: 'submitter-2', forMs: 500 } },
  { atMs: 8_000, fault: { type: 'outage', engine: 'rabbitmq', node: 0, forMs: 0 } },
  { atMs: 9_000, fault: { type: 'kill', place: 'worker-3', forMs: 1_000 } },
  { atMs: 14_000, fault: { type: 'cut', places: ['worker-4', 'submitter-2', 'client-2'], engine: 'rabbitmq', forMs: 0 } },
]
