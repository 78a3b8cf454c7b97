import type { CallName } from '@taskledger/test-kit/faults'
import type { EngineName } from '../world/engine.ts'
import { messagingEngines, storageEngines } from '../world/engine.ts'
import type { CallFaultMode, Cut, Fault } from './faults.ts'
import type { RandomChoices } from './random-choices.ts'

/** How long clients submit tasks, in milliseconds. */
export const submitMs = 9_000

/** Draws a fault of one node, or an outage. */
export const drawFault = (random: RandomChoices, node: string): Fault =>
  random.weighted<() => Fault>([
    [() => drawCallFault(random, node), 8],
    [() => drawCut(random, node), 4],
    [() => drawOutage(random), 4],
    [() => ({ type: 'freeze', node, atMs: drawAt(random), forMs: drawLength(random) }), 3],
    [() => ({ type: 'crash', node, atMs: drawAt(random), forMs: random.between(500, 40_000) }), 2],
    [() => ({ type: 'shutdown', node, atMs: drawAt(random), forMs: random.between(500, 20_000) }), 1],
    [() => ({ type: 'skew', node, atMs: random.is(0.5) ? 0 : drawAt(random), skewMs: drawSkew(random) }), 1.5],
    [() => ({ type: 'deaf', node, atMs: random.between(0, submitMs), forMs: random.between(1_000, 15_000), isTold: random.is(0.5) }), 2],
    [() => ({ type: 'disconnect', node, atMs: drawAt(random), forMs: random.between(10, 3_000) }), 2],
  ])()

const drawAt = (random: RandomChoices): number => random.between(100, random.of([8_000, 18_000]))

/** Often about as long as a lease. */
const drawLength = (random: RandomChoices): number => (random.is(0.6) ? random.between(10_000, 35_000) : random.between(200, 10_000))

const drawSkew = (random: RandomChoices): number =>
  (random.is(0.5) ? -1 : 1) * (random.is(0.7) ? random.between(100, 4_000) : random.between(4_000, 60_000))

const drawCut = (random: RandomChoices, node: string | undefined): Cut => ({
  type: 'cut',
  node,
  engines: random.weighted<readonly EngineName[]>([
    [storageEngines, 3],
    [messagingEngines, 2],
    [[...storageEngines, ...messagingEngines], 2],
    [['events'], 1],
    [['listing'], 1],
    [['nodes'], 2],
    [['bus'], 1],
    [['listing', ...messagingEngines], 1],
  ]),
  mode: random.of(['refuse', 'stall', 'swallow', 'swallowReplies']),
  atMs: drawAt(random),
  forMs: drawLength(random),
})

/** An outage for all nodes: half of them of storage, and longer than a lease. */
const drawOutage = (random: RandomChoices): Cut => {
  const cut = drawCut(random, undefined)
  return random.is(0.5) ? { ...cut, engines: storageEngines, forMs: random.between(14_000, 30_000) } : cut
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

const drawCallFault = (random: RandomChoices, node: string): Fault => {
  const call = random.weighted(calls)
  return {
    type: 'call',
    node,
    call,
    nth: 1 + Math.floor(random.next() ** 2 * (call === 'queue.consume' ? 2 : 14)),
    mode: call === 'queue.send' && random.is(0.3) ? 'forgotten' : random.weighted(modes),
    forMs: random.between(500, 30_000),
  }
}
