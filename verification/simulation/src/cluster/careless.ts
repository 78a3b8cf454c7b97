import type { SubmitOptions, TaskDeclaration } from '@taskledger/core'
import type { Carelessness } from '../plan/plan.ts'

/** What a careless client submits: a program in JavaScript, which no types stop. */
export const careless = (
  gives: Carelessness,
  task: TaskDeclaration,
): { readonly task: TaskDeclaration; readonly options: SubmitOptions } => {
  const options: Readonly<Record<string, unknown>> =
    gives === 'retryOf' ? { retryOf: 'ORDER-17' } : gives === 'labels' ? { labels: 'demo' } : {}
  const changes: Readonly<Record<string, unknown>> =
    gives === 'timeoutMs'
      ? { timeoutMs: '5s' }
      : gives === 'version'
        ? { version: 1.5 }
        : gives === 'queue'
          ? { queue: 'q'.repeat(300) }
          : {}
  return { task: { ...task, ...changes }, options }
}
