import { describeFault } from '../plan/faults.ts'
import { describeForgery } from '../plan/forgeries.ts'
import type { PlannedTask } from '../plan/plan.ts'
import { promises } from './promises.ts'
import type { SimulationOptions, SimulationReport } from '../simulate-cluster.ts'
import { shrink } from './shrink.ts'

/** How many steps are shown at most. */
const maxSteps = 400

/** Describes a simulation that broke a promise: the seed, the broken promises, the smallest plan that breaks them, and every step. */
export const describeFailure = async (options: SimulationOptions, report: SimulationReport): Promise<string> => {
  const shrunk = await shrink(options, report)
  const { plan, broken, trace } = shrunk
  return [
    `seed ${report.seed} breaks ${report.broken.length} promises, with ${report.plan.faults.length} faults and ${report.plan.tasks.length} tasks:`,
    ...report.broken.slice(0, 5).map(({ promise, detail }) => `  ${promises[promise]}: ${detail}`),
    'The smallest plan that still breaks a promise:',
    ...(plan.misplaced === undefined ? [] : [`  ${plan.misplaced.node}: misplaced, lacks the ${plan.misplaced.lacks} of the cluster`]),
    ...(plan.purge === undefined ? [] : [`  ${plan.purge.node}: purge at ${plan.purge.atMs} ms`]),
    ...plan.faults.map((fault) => `  ${describeFault(fault)}`),
    ...(plan.forgeries ?? []).map((forgery) => `  ${describeForgery(forgery)}`),
    ...plan.tasks.map((task) => `  ${describeTask(task)}`),
    ...broken.slice(0, 5).map(({ promise, detail }) => `  → ${promises[promise]}: ${detail}`),
    'Steps (seconds, node, step):',
    ...(trace.length > maxSteps
      ? [...trace.slice(0, maxSteps / 2), `  … ${trace.length - maxSteps} steps …`, ...trace.slice(-maxSteps / 2)]
      : trace),
  ].join('\n')
}

const describeTask = ({ index, kind, bodyMs, atMs, node, key, repeat, reuse, cancel, awaits }: PlannedTask): string =>
  [
    `task ${index}: ${kind} (${bodyMs} ms) submitted on ${node} at ${atMs} ms`,
    ...(key === undefined ? [] : [`by key`]),
    ...(repeat === undefined ? [] : [`again on ${repeat.node} after ${repeat.afterMs} ms`]),
    ...(reuse === undefined ? [] : [`and on ${reuse.node} ${reuse.afterMs} ms after the purge`]),
    ...(cancel === undefined ? [] : [`cancelled on ${cancel.node} after ${cancel.afterMs} ms`]),
    ...awaits.map((asked) => `awaited on ${asked.node} after ${asked.afterMs} ms`),
  ].join(', ')
