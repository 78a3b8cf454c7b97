import type { TaskId } from '@taskledger/core/ports'
import type { Adapters } from '../../../faults/adapters.ts'
import { Cluster } from '../../../faults/cluster.ts'
import type { Rule, RuleContext } from '../../../framework/rule.ts'

/** A rule about a cluster. The cluster is opened for the rule and closed after it, and its histories are checked. */
export interface ClusterRule extends Omit<Rule<Adapters>, 'run'> {
  run(cluster: Cluster, context: RuleContext<Adapters>): Promise<void>
}

/** Short where a default would make a rule wait. */
const worker = { drainMs: 0, progressIntervalMs: 10, unknownTasks: { retryDelayMs: 10, maxReleases: 5 } }

/** Makes a rule of a rule about a cluster. */
export const clustered = (rule: ClusterRule): Rule<Adapters> => ({
  ...rule,
  run: async (context) => {
    let unused: Adapters | undefined = context.port
    const open = async (): Promise<Adapters> => {
      const client = unused ?? context.peer()
      unused = undefined
      return client
    }
    const cluster = new Cluster({ open, waiting: context, worker })
    try {
      await rule.run(cluster, context)
      await cluster.close()
      await cluster.checkHistories()
    } catch (error) {
      context.observe(await cluster.traces().catch((cause: unknown) => cause))
      // The failure of the rule matters more than a failure to close.
      await cluster.close().catch(() => {})
      throw error
    }
  },
})

/** The ids of tasks, sorted. */
export const sortedIds = (tasks: readonly ({ readonly id: TaskId } | { readonly taskId: TaskId })[]): readonly TaskId[] =>
  tasks.map((task) => ('id' in task ? task.id : task.taskId)).sort()
