/** What may be wrong with an unfinished task, judged by its row alone. The history decides. */
export type Suspicion =
  /** The task waits and is due, and its queue has delivered later messages: its message may be lost. */
  | { readonly type: 'overtaken' }
  /** The task is not due yet, and the node that would send its message is gone. */
  | { readonly type: 'unscheduled' }
  /** The task runs on a node that is not alive. */
  | { readonly type: 'orphaned'; readonly nodeId: string }
  /** The task has been running for long: its row may be outdated. */
  | { readonly type: 'old' }
