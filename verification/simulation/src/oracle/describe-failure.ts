import { describeFault } from '../plan/faults.ts'
import type { PlannedTask } from '../plan/plan.ts'
import { promises } from './promises.ts'
import type { SimulationOptions, SimulationReport } from '../simulate-cluster.ts'
import { shrink } from './shrink.ts'

/** How many steps are shown before the rest is left out. */
const mostSteps = 400

/** What a simulation that broke a promise comes down to: the seed, what was broken, what had to be done to it, and every step. */
export const describeFailure = async (options: SimulationOptions, report: SimulationReport): Promise<string> => {
  const shrunk = await shrink(options, report)
  const { plan, broken, trace } = shrunk
  return [
    `seed ${report.seed} breaks ${report.broken.length} promises, with ${report.plan.faults.length} faults and ${report.plan.tasks.length} tasks:`,
    ...report.broken.slice(0, 5).map(({ promise, detail }) => `  ${promises[promise]}: ${detail}`),
    'What is left when all is taken away that it does not need:',
    ...plan.faults.map((fault) => `  ${describeFault(fault)}`),
    ...plan.tasks.map((task) => `  ${describeTask(task)}`),
    ...broken.slice(0, 5).map(({ promise, detail }) => `  → ${promises[promise]}: ${detail}`),
    'Step by step (seconds, node, what it does):',
    ...(trace.length > mostSteps
      ? [...trace.slice(0, mostSteps / 2), `  … ${trace.length - mostSteps} steps …`, ...trace.slice(-mostSteps / 2)]
      : trace),
  ].join('\n')
}

const describeTask = ({ index, kind, bodyMs, atMs, node, key, repeat, cancel, awaits }: PlannedTask): string =>
  [
    `task ${index}: ${kind} (${bodyMs} ms) submitted on ${node} at ${atMs} ms`,
    ...(key === undefined ? [] : [`by key`]),
    ...(repeat === undefined ? [] : [`again on ${repeat.node} after ${repeat.afterMs} ms`]),
    ...(cancel === undefined ? [] : [`cancelled on ${cancel.node} after ${cancel.afterMs} ms`]),
    ...awaits.map((asked) => `awaited on ${asked.node} after ${asked.afterMs} ms`),
  ].join(', ')
