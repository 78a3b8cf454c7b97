import type { TaskDetails } from '../../domain/task-details.ts'

/** What may be wrong with an unfinished task, by its row alone. The history says whether it is. */
export type Suspicion =
  /** It waits and is due, and its queue has overtaken it: its message was lost. */
  | { readonly type: 'overtaken' }
  /** It waits for its time, and the node that would have sent it then is gone. */
  | { readonly type: 'unscheduled' }
  /** It runs on a node that does not live. */
  | { readonly type: 'orphaned'; readonly nodeId: string }
  /** It has been running for long: its row may have been left behind. */
  | { readonly type: 'old' }

/** The node that sends a waiting task when its time has come, as far as its row says. */
export const schedulerOf = ({ attempt, createdOn, node }: TaskDetails): string => (attempt === 0 ? createdOn : (node ?? createdOn))
