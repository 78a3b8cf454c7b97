import type { Fault } from './faults.ts'
import { nodeNames, workerNames } from './plan.ts'
import { RandomChoices } from './random-choices.ts'

const hourMs = 3_600_000
const monthMs = 30 * 24 * hourMs

/**
 * Draws clocks that are hours apart, or set during the run, and suspended machines. Its choices are a stream of their own, so that they change
 * nothing else of the plan of a seed.
 */
export const drawClocks = (seed: number): readonly Fault[] => {
  const random = new RandomChoices(seed, 'clocks')
  if (random.is(0.7)) return []
  return random.weighted<() => readonly Fault[]>([
    // One clock is wrong from the start.
    [() => [set(random.of(nodeNames), 0, drawHours(random))], 3],
    // All clocks are wrong.
    [() => nodeNames.map((node) => set(node, 0, drawHours(random))), 2],
    // A clock is set during the run, for good or for a while.
    [() => drawSettings(random), 3],
    [() => [{ type: 'suspend', node: random.of(workerNames), atMs: random.between(2_000, 18_000), forMs: drawSuspension(random) }], 3],
  ])()
}

const set = (node: string, atMs: number, skewMs: number): Fault => ({ type: 'skew', node, atMs, skewMs })

const drawSettings = (random: RandomChoices): readonly Fault[] => {
  const node = random.of(nodeNames)
  const atMs = random.between(1_000, 14_000)
  const first = random.is(0.5) ? [set(node, 0, drawHours(random))] : []
  const last = random.is(0.5) ? [set(node, atMs + random.between(500, 8_000), random.is(0.5) ? 0 : drawHours(random))] : []
  return [...first, set(node, atMs, drawHours(random)), ...last]
}

const drawHours = (random: RandomChoices): number =>
  (random.is(0.5) ? -1 : 1) *
  (random.is(0.1) ? monthMs : random.is(0.5) ? random.between(60_000, hourMs) : random.between(hourMs, 48 * hourMs))

const drawSuspension = (random: RandomChoices): number =>
  random.is(0.3) ? random.between(500, 14_000) : random.between(15_000, random.of([60_000, 60_000, 120_000]))
