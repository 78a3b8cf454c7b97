import type { TaskId } from '../../domain/task-id.ts'
import { builtinModule } from './builtin-module.ts'

/** The task whose body runs. */
export interface RunningBody {
  readonly taskId: TaskId
  readonly queue: string
}

/** What this file uses of `AsyncLocalStorage`. */
interface AsyncScope {
  run<Result>(body: RunningBody, act: () => Result): Result
  getStore(): RunningBody | undefined
}

interface Platform {
  readonly process?: { readonly versions?: { readonly node?: string } }
}

/** From this release on, a scope costs nothing where it is not used; before, it slows every promise of the process down. */
const cheapFrom = 24

const scopeOf = ({ process }: Platform): AsyncScope | undefined => {
  if (Number.parseInt(process?.versions?.node ?? '0', 10) < cheapFrom) return undefined
  const { AsyncLocalStorage } = builtinModule<{ AsyncLocalStorage: new () => AsyncScope }>('node:async_hooks') ?? {}
  return AsyncLocalStorage === undefined ? undefined : new AsyncLocalStorage()
}

// A platform without it does not know which body awaits a task.
const scope = scopeOf(globalThis)

/** Runs a body, so that what it calls knows the task. */
export const inBody = <Result>(body: RunningBody, act: () => Result): Result => (scope === undefined ? act() : scope.run(body, act))

/** The body that makes this call; `undefined` if none does, or if the platform cannot tell. */
export const callingBody = (): RunningBody | undefined => scope?.getStore()
