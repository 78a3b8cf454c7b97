import { drawClocks } from './draw-clocks.ts'
import { drawFault, submitMs } from './draw-faults.ts'
import { drawTroubles, isTroubled } from './draw-troubles.ts'
import type { Fault } from './faults.ts'
import { drawForgeries } from './forgeries.ts'
import type { BodyKind, Plan, PlannedTask } from './plan.ts'
import { frontEnd, nodeNames, workerNames } from './plan.ts'
import { RandomChoices } from './random-choices.ts'

/** Draws the plan of a seed. */
export const drawPlan = (seed: number): Plan => {
  if (isTroubled(seed)) return drawTroubles(seed)
  const random = new RandomChoices(seed, 'plan')
  // Sometimes a queue is deep.
  const isDeep = random.is(0.06)
  const count = isDeep ? random.between(4, 8) : random.between(4, 11)
  const tasks = Array.from({ length: count }, (_, index) => (isDeep ? drawDeep(random, index) : drawTask(random, index)))
  const faults: Fault[] = []
  for (
    let left = random.weighted([
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
    // Several faults often hit the same node.
    faults.push(drawFault(random, victim !== undefined && random.is(0.4) ? victim : random.of(nodeNames)))
  }
  const starts = Object.fromEntries(nodeNames.map((name) => [name, random.between(0, 4_000)]))
  return reuseKeys(addForgeries(addCareless(misplace({ seed, starts, tasks, faults: [...faults, ...drawClocks(seed)] }))))
}

/** In some plans a client is careless. */
const addCareless = (plan: Plan): Plan => {
  // Random numbers of its own: the other plans stay as they are.
  const random = new RandomChoices(plan.seed, 'careless')
  if (!random.is(0.1)) return plan
  const gives = random.of(['retryOf', 'labels', 'timeoutMs', 'version', 'queue'] as const)
  return { ...plan, careless: { node: random.of(nodeNames), atMs: random.between(0, submitMs), gives } }
}

/** In some plans somebody who is no node sends messages. */
const addForgeries = (plan: Plan): Plan => {
  // Random numbers of its own: the other plans stay as they are.
  const forgeries = plan.misplaced === undefined ? drawForgeries(new RandomChoices(plan.seed, 'forgeries')) : []
  return forgeries.length === 0 ? plan : { ...plan, forgeries }
}

/** In some plans a node has wrong settings. */
const misplace = (plan: Plan): Plan => {
  // Random numbers of its own: the other plans stay as they are.
  const random = new RandomChoices(plan.seed, 'misplaced')
  if (!random.is(0.05)) return plan
  const lacks = random.of(['storage', 'messaging'] as const)
  // A worker without the storage of the cluster would take messages of tasks that it cannot read.
  const node = lacks === 'storage' ? frontEnd : random.of(nodeNames)
  // A worker on other messaging runs what its janitor sends again. So there are two tokens of a serial queue.
  const tasks = plan.tasks.map((task): PlannedTask => (task.kind === 'serial' ? { ...task, kind: 'slow' } : task))
  return { ...plan, tasks, misplaced: { node, lacks } }
}

/** In some plans finished tasks are purged when most other faults are over, and some of their idempotency keys are used again. */
const reuseKeys = (plan: Plan): Plan => {
  const random = new RandomChoices(plan.seed, 'reused')
  if (plan.misplaced !== undefined || plan.forgeries !== undefined || !random.is(0.2)) return plan
  const tasks = plan.tasks.map((task): PlannedTask => {
    if (task.key === undefined || random.is(0.2)) return task
    const { cancel: _cancel, ...rest } = task
    return { ...rest, awaits: [], reuse: { node: random.of(nodeNames), afterMs: random.between(0, random.of([200, 3_000])) } }
  })
  if (tasks.every(({ reuse }) => reuse === undefined)) return plan
  const node = random.of(nodeNames)
  const mode = random.of(['late', 'lostReply', 'noAnswer', 'twice', 'unavailable', 'crashAfter'] as const)
  const fault: Fault = { type: 'call', node, call: 'events.remove', nth: random.between(1, 4), mode, forMs: random.between(500, 30_000) }
  const atMs = random.between(100_000, 120_000)
  // A clock that is set back behind the earlier run must not lower the fencing token of the next.
  const setBack: Fault = {
    type: 'skew',
    node: random.of(nodeNames),
    atMs: atMs + random.between(-3_000, 3_000),
    skewMs: -random.between(130_000, 600_000),
  }
  return {
    ...plan,
    tasks,
    faults: [...plan.faults, ...(random.is(0.5) ? [fault] : []), ...(random.is(0.5) ? [setBack] : [])],
    purge: { node, atMs },
  }
}

/** A task of a serial queue, behind several others. */
const drawDeep = (random: RandomChoices, index: number): PlannedTask => ({
  index,
  kind: 'serial',
  bodyMs: random.between(2_000, 7_000),
  failures: 0,
  atMs: random.between(0, 3_000),
  node: random.of(nodeNames),
  awaits: [],
})

const drawTask = (random: RandomChoices, index: number): PlannedTask => {
  const kind = random.weighted<BodyKind>([
    ['nothing', 4],
    ['slow', 5],
    ['failing', 2],
    ['deaf', 1],
    ['progress', 1],
    ['serial', 3],
    ['finishing', 1],
  ])
  const key = random.is(0.3) ? `key-${index}` : undefined
  const isCancelled = random.is(kind === 'slow' ? 0.4 : 0.2)
  const isLong = random.is(isCancelled ? 0.4 : 0.15)
  return {
    index,
    kind,
    bodyMs: kind === 'nothing' ? 0 : isLong ? random.between(12_000, 35_000) : random.between(50, 6_000),
    failures: kind === 'failing' ? random.between(1, 3) : 0,
    atMs: random.between(0, submitMs),
    node: random.is(0.5) ? frontEnd : random.of(workerNames),
    ...(key === undefined
      ? {}
      : { key, ...(random.is(0.6) ? { repeat: { node: random.of(nodeNames), afterMs: random.between(0, 3_000) } } : {}) }),
    ...(random.is(0.1) ? { notBeforeMs: random.between(500, 10_000) } : {}),
    ...(isCancelled ? { cancel: { node: random.of(nodeNames), afterMs: random.between(0, random.of([25, 300, 6_000])) } } : {}),
    awaits: Array.from(
      {
        length: random.weighted([
          [0, 2],
          [1, 4],
          [2, 2],
          [3, 1],
        ]),
      },
      () => ({
        node: random.of(nodeNames),
        afterMs: random.between(0, random.of([40, 40, 200, 8_000])),
      }),
    ),
  }
}
