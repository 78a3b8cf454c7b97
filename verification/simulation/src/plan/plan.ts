import { seededRandom } from '@taskledger/core/testing'
import type { CallName } from '@taskledger/test-kit/faults'
import type { EngineName } from '../world/engine.ts'
import { messagingEngines, storageEngines } from '../world/engine.ts'
import type { CallFaultMode, Cut, Fault } from './faults.ts'

/** What the body of a simulated task does. */
export type BodyKind = 'nothing' | 'slow' | 'failing' | 'deaf' | 'progress' | 'serial' | 'finishing'

/** A task, and what clients do about it. Times are in milliseconds from the beginning. */
export interface PlannedTask {
  readonly index: number
  readonly kind: BodyKind
  /** How long an attempt takes. */
  readonly bodyMs: number
  /** How many attempts fail before one succeeds. */
  readonly failures: number
  readonly atMs: number
  readonly node: string
  readonly key?: string
  /** The same submit again, by key, from another node. */
  readonly repeat?: { readonly node: string; readonly afterMs: number }
  readonly notBeforeMs?: number
  readonly cancel?: { readonly node: string; readonly afterMs: number }
  readonly awaits: readonly { readonly node: string; readonly afterMs: number }[]
}

/** All that happens in a simulation but for what the nodes make of it. */
export interface Plan {
  readonly seed: number
  /** When each node starts, by name. */
  readonly starts: Readonly<Record<string, number>>
  readonly tasks: readonly PlannedTask[]
  readonly faults: readonly Fault[]
}

/** Those with a worker, and the front-end. */
export const workerNames: readonly string[] = ['a', 'b', 'c']
export const frontEnd = 'f'
export const nodeNames: readonly string[] = [...workerNames, frontEnd]

/** The queue whose tasks run one at a time. */
export const serialQueue = 'serial'

/** How long clients go on to submit, in milliseconds. */
const submitMs = 9_000

/** Makes choices by chance. */
class Chance {
  readonly next: () => number

  constructor(seed: number, purpose: string) {
    this.next = seededRandom(seed, purpose)
  }

  is(probability: number): boolean {
    return this.next() < probability
  }

  between(least: number, most: number): number {
    return Math.floor(least + this.next() * (most - least))
  }

  of<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.next() * choices.length)] as T
  }

  /** One of some, each with its weight. */
  weighted<T>(choices: readonly (readonly [T, number])[]): T {
    let left = this.next() * choices.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [choice, weight] of choices) if ((left -= weight) < 0) return choice
    return (choices[0] as readonly [T, number])[0]
  }
}

/** What the seed brings about. */
export const drawPlan = (seed: number): Plan => {
  const chance = new Chance(seed, 'plan')
  // Now and then a queue is deep.
  const isDeep = chance.is(0.06)
  const count = isDeep ? chance.between(4, 8) : chance.between(4, 11)
  const tasks = Array.from({ length: count }, (_, index) => (isDeep ? drawDeep(chance, index) : drawTask(chance, index)))
  const faults: Fault[] = []
  for (
    let left = chance.weighted([
      [0, 3],
      [1, 4],
      [2, 4],
      [3, 3],
      [4, 1],
    ]);
    left > 0;
    left--
  ) {
    const victim = faults.map((fault) => fault.node).find((node) => node !== undefined)
    // Misfortunes seldom come singly.
    faults.push(drawFault(chance, victim !== undefined && chance.is(0.4) ? victim : chance.of(nodeNames)))
  }
  const starts = Object.fromEntries(nodeNames.map((name) => [name, chance.between(0, 4_000)]))
  return { seed, starts, tasks, faults }
}

/** A task of a serial queue that several others wait for. */
const drawDeep = (chance: Chance, index: number): PlannedTask => ({
  index,
  kind: 'serial',
  bodyMs: chance.between(2_000, 7_000),
  failures: 0,
  atMs: chance.between(0, 3_000),
  node: chance.of(nodeNames),
  awaits: [],
})

const drawTask = (chance: Chance, index: number): PlannedTask => {
  const kind = chance.weighted<BodyKind>([
    ['nothing', 4],
    ['slow', 5],
    ['failing', 2],
    ['deaf', 1],
    ['progress', 1],
    ['serial', 3],
    ['finishing', 1],
  ])
  const key = chance.is(0.3) ? `key-${index}` : undefined
  const isCancelled = chance.is(kind === 'slow' ? 0.4 : 0.2)
  const isLong = chance.is(isCancelled ? 0.4 : 0.15)
  return {
    index,
    kind,
    bodyMs: kind === 'nothing' ? 0 : isLong ? chance.between(12_000, 35_000) : chance.between(50, 6_000),
    failures: kind === 'failing' ? chance.between(1, 3) : 0,
    atMs: chance.between(0, submitMs),
    node: chance.is(0.5) ? frontEnd : chance.of(workerNames),
    ...(key === undefined
      ? {}
      : { key, ...(chance.is(0.6) ? { repeat: { node: chance.of(nodeNames), afterMs: chance.between(0, 3_000) } } : {}) }),
    ...(chance.is(0.1) ? { notBeforeMs: chance.between(500, 10_000) } : {}),
    ...(isCancelled ? { cancel: { node: chance.of(nodeNames), afterMs: chance.between(0, chance.of([25, 300, 6_000])) } } : {}),
    awaits: Array.from(
      {
        length: chance.weighted([
          [0, 2],
          [1, 4],
          [2, 2],
          [3, 1],
        ]),
      },
      () => ({
        node: chance.of(nodeNames),
        afterMs: chance.between(0, chance.of([40, 40, 200, 8_000])),
      }),
    ),
  }
}

const drawFault = (chance: Chance, node: string): Fault =>
  chance.weighted<() => Fault>([
    [() => drawCallFault(chance, node), 8],
    [() => drawCut(chance, node), 4],
    [() => drawOutage(chance), 4],
    [() => ({ type: 'freeze', node, atMs: drawAt(chance), forMs: drawLength(chance) }), 3],
    [() => ({ type: 'crash', node, atMs: drawAt(chance), forMs: chance.between(500, 40_000) }), 2],
    [() => ({ type: 'shutdown', node, atMs: drawAt(chance), forMs: chance.between(500, 20_000) }), 1],
    [() => ({ type: 'skew', node, atMs: chance.is(0.5) ? 0 : drawAt(chance), skewMs: drawSkew(chance) }), 1.5],
    [() => ({ type: 'deaf', node, atMs: chance.between(0, submitMs), forMs: chance.between(1_000, 15_000), isTold: chance.is(0.5) }), 2],
    [() => ({ type: 'disconnect', node, atMs: drawAt(chance), forMs: chance.between(10, 3_000) }), 2],
  ])()

const drawAt = (chance: Chance): number => chance.between(100, chance.of([8_000, 18_000]))

/** Often about as long as a lease. */
const drawLength = (chance: Chance): number => (chance.is(0.6) ? chance.between(10_000, 35_000) : chance.between(200, 10_000))

const drawSkew = (chance: Chance): number =>
  (chance.is(0.5) ? -1 : 1) * (chance.is(0.7) ? chance.between(100, 4_000) : chance.between(4_000, 60_000))

const drawCut = (chance: Chance, node: string | undefined): Cut => ({
  type: 'cut',
  node,
  engines: chance.weighted<readonly EngineName[]>([
    [storageEngines, 3],
    [messagingEngines, 2],
    [[...storageEngines, ...messagingEngines], 2],
    [['events'], 1],
    [['listing'], 1],
    [['nodes'], 2],
    [['bus'], 1],
    [['listing', ...messagingEngines], 1],
  ]),
  mode: chance.of(['refuse', 'stall', 'swallow', 'swallowReplies']),
  atMs: drawAt(chance),
  forMs: drawLength(chance),
})

/** An outage for all: as often as not one of storage, longer than a lease. */
const drawOutage = (chance: Chance): Cut => {
  const cut = drawCut(chance, undefined)
  return chance.is(0.5) ? { ...cut, engines: storageEngines, forMs: chance.between(14_000, 30_000) } : cut
}

const calls: readonly (readonly [CallName, number])[] = [
  ['events.append', 10],
  ['listing.save', 4],
  ['queue.send', 5],
  ['delivery.accept', 3],
  ['bus.publish', 3],
  ['events.read', 3],
  ['nodes.renew', 2],
  ['nodes.live', 1],
  ['listing.unfinished', 1],
  ['queue.consume', 0.5],
  ['queue.depth', 0.5],
  ['delivery.release', 0.5],
  ['listing.saveProgress', 0.5],
  ['listing.progress', 0.5],
]

const modes: readonly (readonly [CallFaultMode, number])[] = [
  ['unavailable', 2],
  ['lostRequest', 2],
  ['lostReply', 3],
  ['noAnswer', 2],
  ['vanishes', 2],
  ['late', 3],
  ['slowReply', 2],
  ['twice', 2],
  ['crashBefore', 3],
  ['crashAfter', 4],
]

const drawCallFault = (chance: Chance, node: string): Fault => {
  const call = chance.weighted(calls)
  return {
    type: 'call',
    node,
    call,
    nth: 1 + Math.floor(chance.next() ** 2 * (call === 'queue.consume' ? 2 : 14)),
    mode: call === 'queue.send' && chance.is(0.3) ? 'forgotten' : chance.weighted(modes),
    forMs: chance.between(500, 30_000),
  }
}
