import type { Plan } from '../plan/plan.ts'
import type { SimulationOptions, SimulationReport } from '../simulate-cluster.ts'
import { simulateCluster } from '../simulate-cluster.ts'

/** The plans without one fault, without one forged message, without one task, or without what clients do about one task. */
function* smaller(plan: Plan): Iterable<Plan> {
  const { purge, ...kept } = plan
  if (purge !== undefined) yield kept
  const { misplaced, ...placed } = plan
  if (misplaced !== undefined) yield placed
  for (const fault of plan.faults) yield { ...plan, faults: plan.faults.filter((other) => other !== fault) }
  const { forgeries = [] } = plan
  for (const forgery of forgeries) yield { ...plan, forgeries: forgeries.filter((other) => other !== forgery) }
  for (const task of plan.tasks) yield { ...plan, tasks: plan.tasks.filter((other) => other !== task) }
  for (const task of plan.tasks) {
    const { cancel: _cancel, repeat: _repeat, ...rest } = task
    const bare = { ...rest, awaits: [] }
    if (task.cancel !== undefined || task.repeat !== undefined || task.awaits.length > 0)
      yield { ...plan, tasks: plan.tasks.map((other) => (other === task ? bare : other)) }
  }
}

/** Reduces a plan to what is needed to break the same promise. Returns the report of the reduced plan, with every step. */
export const shrink = async (options: SimulationOptions, report: SimulationReport): Promise<SimulationReport> => {
  const promise = report.broken[0]?.promise
  let { plan } = report
  for (let isSmaller = promise !== undefined; isSmaller;) {
    isSmaller = false
    for (const candidate of smaller(plan)) {
      const { broken } = await simulateCluster({ ...options, plan: candidate })
      if (broken[0]?.promise !== promise) continue
      plan = candidate
      isSmaller = true
      break
    }
  }
  return simulateCluster({ ...options, plan, trace: true })
}
