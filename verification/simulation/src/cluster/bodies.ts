import type { RunnableTask, TaskDefinition } from '@taskledger/core'
import { defineTask, unchecked } from '@taskledger/core'
import type { TaskId } from '@taskledger/core/ports'
import type { NodeProcess } from '@taskledger/test-kit/faults'
import { never } from '@taskledger/test-kit/faults'
import type { BodyKind, PlannedTask } from '../plan/plan.ts'
import { serialQueue } from '../plan/plan.ts'
import type { World } from '../world/world.ts'

/** The node on which bodies run. */
export interface BodyNode {
  readonly name: string
  readonly world: World
  readonly process: NodeProcess
  readonly runs: BodyRun[]
  /** When the process was frozen, in milliseconds since the start. */
  readonly frozen: readonly { readonly from: number; readonly until: number; readonly isSuspended: boolean }[]
  readonly isGone: boolean
  /** Kills the process, which starts again after that time. */
  crash(restartAfterMs: number): void
  /** Blocks the event loop of the process, and resolves afterwards. */
  block(forMs: number): Promise<void>
}

/** One run of a body, as seen from outside the system. Times are in milliseconds since the start. */
export interface BodyRun {
  readonly taskId: TaskId
  readonly attempt: number
  readonly fence: number
  readonly kind: BodyKind
  readonly payload: Given
  readonly node: BodyNode
  readonly startedAt: number
  endedAt: number | undefined
  how: 'runs' | 'returned' | 'threw' | 'aborted' | 'died'
  abortedAt: number | undefined
}

/** The payload of a simulated task. */
export type Given = Pick<PlannedTask, 'bodyMs' | 'failures' | 'restartMs'>

export type SimulatedTask = TaskDefinition<Given>

const kinds: readonly BodyKind[] = ['nothing', 'slow', 'failing', 'deaf', 'progress', 'serial', 'finishing', 'poison', 'blocking', 'import']

/** How often a body reports progress, in milliseconds. */
const reportMs = 700

/** How long a body goes on after it has blocked the event loop, in milliseconds: long enough to be told that the lease is lost. */
const afterBlockMs = 1_500

/** The tasks of one node. Their bodies use the clock of its process. */
export const tasksOf = (node: BodyNode): Readonly<Record<BodyKind, SimulatedTask>> =>
  Object.fromEntries(kinds.map((kind) => [kind, taskOf(kind, node)])) as Record<BodyKind, SimulatedTask>

const taskOf = (kind: BodyKind, node: BodyNode): SimulatedTask =>
  defineTask({
    type: kind,
    payload: unchecked<Given>(),
    retry: kind === 'failing' ? { maxAttempts: 5, backoff: { initialMs: 500 } } : {},
    queue: kind === 'serial' ? serialQueue : 'default',
    onLeaseLost: kind === 'finishing' ? 'finish' : 'abort',
    async run(context) {
      const { taskId, attempt, fence, signal, payload } = context
      const { process, world } = node
      // The process may have died in the step that leads here: then nothing of the body happens.
      if (process.isDead) return never()
      const now = (): number => world.time.elapsed()
      const run: BodyRun = {
        taskId,
        attempt,
        fence,
        kind,
        payload,
        node,
        startedAt: now(),
        endedAt: undefined,
        how: 'runs',
        abortedAt: undefined,
      }
      node.runs.push(run)
      world.trace(node.name, `● ${kind} ${taskId.slice(-8)} attempt ${attempt} begins`)
      signal.addEventListener('abort', () => (run.abortedAt = now()), { once: true })
      try {
        await body(kind, payload, node, context)
        if (attempt <= payload.failures) throw failureOf(attempt)
        run.how = 'returned'
        return { attempt }
      } catch (error) {
        run.how = signal.aborted ? 'aborted' : 'threw'
        throw error
      } finally {
        run.endedAt = now()
        world.trace(node.name, `○ ${kind} ${taskId.slice(-8)} attempt ${attempt} ${run.how}`)
      }
    },
  })

/** Every second failure throws something that cannot be read. */
const failureOf = (attempt: number): unknown => {
  const failure = new Error(`attempt ${attempt} fails, as planned`)
  const fail = (): never => {
    throw failure
  }
  return attempt % 2 === 0 ? Object.defineProperties({}, { code: { get: fail }, message: { get: fail } }) : failure
}

const body = async (
  kind: BodyKind,
  { bodyMs, restartMs = 1_000 }: Given,
  node: BodyNode,
  { signal, progress, lastProgress }: Pick<Parameters<RunnableTask['run']>[0], 'signal' | 'progress' | 'lastProgress'>,
): Promise<void> => {
  const { process } = node
  if (kind === 'poison') {
    await process.sleep(bodyMs, signal)
    node.crash(restartMs)
    return never()
  }
  if (kind === 'blocking') {
    await node.block(bodyMs)
    return process.sleep(afterBlockMs, signal)
  }
  if (kind === 'deaf') return process.sleep(bodyMs)
  if (kind !== 'progress' && kind !== 'import') return bodyMs === 0 ? undefined : process.sleep(bodyMs, signal)
  const before = kind === 'import' ? ((lastProgress as { readonly passed: number } | undefined)?.passed ?? 0) : 0
  for (let passed = before; passed < bodyMs; passed += reportMs) {
    progress({ passed })
    await process.sleep(Math.min(reportMs, bodyMs - passed), signal)
  }
}
