import type { BodyKind, Plan, PlannedTask } from './plan.ts'
import { frontEnd, nodeNames, workerNames } from './plan.ts'
import { RandomChoices } from './random-choices.ts'

/** One seed of so many has such a plan: those with this remainder, none of which finds a mutant in its other plan. */
const every = 15
const remainder = 9

/** Whether a seed has such a plan. The other seeds keep theirs. */
export const isTroubled = (seed: number): boolean => seed % every === remainder

/** Draws a plan in which a body kills its process or blocks its event loop, or in which one long task is killed again and again. */
export const drawTroubles = (seed: number): Plan => {
  const random = new RandomChoices(seed, 'troubles')
  return random.weighted<() => Plan>([
    [() => drawPoison(seed, random), 4],
    [() => drawBlocking(seed, random), 2],
    [() => drawSingle(seed, random), 2],
    [() => drawImport(seed, random), 2],
  ])()
}

/** A task that kills its process each time, among tasks that take long. */
const drawPoison = (seed: number, random: RandomChoices): Plan => {
  const names = random.of([['a'], ['a', frontEnd], ['a', 'b', frontEnd], nodeNames])
  return {
    seed,
    starts: drawStarts(random, names),
    faults: [],
    tasks: [
      drawTask(random, names, 0, {
        kind: 'poison',
        bodyMs: random.between(50, random.of([500, 6_000])),
        restartMs: random.between(500, 8_000),
      }),
      ...Array.from({ length: random.between(2, 6) }, (_, index) =>
        drawTask(random, names, index + 1, { kind: random.of(healthy), bodyMs: random.between(500, random.of([4_000, 30_000])) }),
      ),
    ],
  }
}

/** Tasks that block the event loop of their node for about as long as its lease lasts, beside others. */
const drawBlocking = (seed: number, random: RandomChoices): Plan => {
  const names = random.of([['a', frontEnd], ['a', 'b', frontEnd], nodeNames])
  return { seed, starts: drawStarts(random, names), faults: [], tasks: drawWithBlocking(random, names) }
}

/** The same on the only node of a cluster. */
const drawSingle = (seed: number, random: RandomChoices): Plan => {
  const names = [random.of(workerNames)]
  return { seed, starts: drawStarts(random, names), faults: [], tasks: drawWithBlocking(random, names) }
}

/** A long task whose process is killed more often than a task survives in a row. */
const drawImport = (seed: number, random: RandomChoices): Plan => {
  const names = ['a', frontEnd]
  const kills = random.between(4, 8)
  return {
    seed,
    starts: drawStarts(random, names),
    tasks: [drawTask(random, names, 0, { kind: 'import', bodyMs: random.between(25_000, 60_000) })],
    faults: Array.from({ length: kills }, (_, index) => ({
      type: 'crash',
      node: 'a',
      atMs: 12_000 + index * 28_000 + random.between(0, 4_000),
      forMs: random.between(500, 3_000),
    })),
  }
}

const drawWithBlocking = (random: RandomChoices, names: readonly string[]): readonly PlannedTask[] => [
  drawTask(random, names, 0, { kind: 'blocking', bodyMs: random.between(14_500, random.of([16_200, 19_000])) }),
  ...Array.from({ length: random.between(1, 4) }, (_, index) =>
    drawTask(random, names, index + 1, { kind: random.of(healthy), bodyMs: random.between(500, 30_000) }),
  ),
]

const healthy: readonly BodyKind[] = ['slow', 'slow', 'progress', 'serial', 'nothing']

const drawStarts = (random: RandomChoices, names: readonly string[]): Plan['starts'] =>
  Object.fromEntries(names.map((name) => [name, random.between(0, 2_000)]))

const drawTask = (
  random: RandomChoices,
  names: readonly string[],
  index: number,
  task: Pick<PlannedTask, 'kind' | 'bodyMs' | 'restartMs'>,
): PlannedTask => ({
  ...task,
  index,
  failures: 0,
  atMs: random.between(1_000, 9_000),
  node: random.of(names),
  awaits: [{ node: random.of(names), afterMs: random.between(0, 2_000) }],
})
