import type { CancelOutcome } from '@taskledger/core'
import { codeOf } from '@taskledger/core'
import type { TaskDetails, TaskId } from '@taskledger/core/ports'
import type { PlannedTask } from '../plan/plan.ts'
import { nodeNames } from '../plan/plan.ts'
import type { SimulatedNode } from './node.ts'
import type { World } from '../world/world.ts'

/** What a client asked, and what it was told. Times are in milliseconds from the beginning. */
export interface Asked<Answer> {
  readonly task: PlannedTask
  readonly taskId: TaskId
  readonly node: SimulatedNode
  readonly atMs: number
  answer: Answer | undefined
  answeredAt: number | undefined
}

/** What an error of the manager tells a client: to ask again, or elsewhere. */
const temporary: readonly (string | undefined)[] = ['OUTCOME_UNKNOWN', 'UNAVAILABLE']

/** How long a client waits before it asks again, in milliseconds. */
const againMs = 1_000

/** How long a client waits for an answer to a submit by key before it asks another node, in milliseconds. */
const patienceMs = 40_000

/** Those who submit, cancel and await. They keep to no node: where theirs is gone they ask another one, if they may ask twice. */
export class Clients {
  /** The ids that were acknowledged for each planned task. */
  readonly acknowledged = new Map<PlannedTask, TaskId[]>()
  readonly cancels: Asked<CancelOutcome>[] = []
  readonly awaits: Asked<TaskDetails>[] = []
  /** What should not have been said to anybody. */
  readonly lies: string[] = []
  readonly #world: World
  readonly #nodeNamed: (name: string) => SimulatedNode | undefined
  /** Actions that are still ahead, or wait for a node to talk to. */
  #ahead = 0
  /** Submits that are under way, each with its node. */
  readonly #submitting = new Map<object, SimulatedNode>()

  constructor(world: World, nodeNamed: (name: string) => SimulatedNode | undefined) {
    this.#world = world
    this.#nodeNamed = nodeNamed
    for (const task of world.plan.tasks) {
      this.#at(task.atMs, () => this.#submit(task, task.node, true))
      if (task.repeat !== undefined) {
        const { node, afterMs } = task.repeat
        this.#at(task.atMs + afterMs, () => this.#submit(task, node, false))
      }
    }
  }

  /** Whether everybody was told everything, but for those whose node is gone. */
  get areSatisfied(): boolean {
    const isSubmitted = [...this.#submitting.values()].every(({ isGone }) => isGone)
    return (
      this.#ahead === 0 && isSubmitted && [...this.cancels, ...this.awaits].every(({ answer, node }) => answer !== undefined || node.isGone)
    )
  }

  #at(ms: number, act: () => void): void {
    this.#ahead++
    this.#world.time.schedule(ms - this.#world.time.elapsed(), () => {
      this.#ahead--
      act()
    })
  }

  /** Does something in the process of the node, or of another one where that is gone. */
  #on(name: string, act: (node: SimulatedNode) => Promise<void>): void {
    const node = [name, ...nodeNames].map(this.#nodeNamed).find((candidate) => candidate?.manager !== undefined)
    if (node === undefined) return this.#at(this.#world.time.elapsed() + againMs, () => this.#on(name, act))
    node.process.step(() => {
      act(node).catch((error: unknown) => this.lies.push(`a client on ${node.name} was told: ${String(error)}`))
    })
  }

  #submit(task: PlannedTask, name: string, isFirst: boolean): void {
    this.#on(name, async (node) => {
      const { manager, tasks } = node
      if (manager === undefined) return this.#submit(task, name, isFirst)
      const { bodyMs, failures, key, notBeforeMs } = task
      let isOver = false
      const submit = {}
      this.#submitting.set(submit, node)
      const again = (): void => {
        if (isOver) return
        isOver = true
        this.#at(this.#world.time.elapsed() + againMs, () => this.#submit(task, otherThan(node.name), isFirst))
      }
      // Whoever hears nothing asks elsewhere, where that is safe.
      if (key !== undefined) this.#at(this.#world.time.elapsed() + patienceMs, () => (node.process.isDead ? again() : undefined))
      try {
        this.#world.trace(node.name, `submit of ${task.kind} ${task.index}${key === undefined ? '' : ` (${key})`}`)
        const { id } = await manager.submit(
          tasks[task.kind],
          { bodyMs, failures },
          {
            ...(key === undefined ? {} : { idempotencyKey: key }),
            ...(notBeforeMs === undefined ? {} : { notBefore: this.#world.time.startAt + task.atMs + notBeforeMs }),
          },
        )
        this.#world.trace(node.name, `submit of ${task.index} is acknowledged: ${id.slice(-8)}`)
        this.acknowledged.set(task, [...(this.acknowledged.get(task) ?? []), id])
        if (!isOver && isFirst) this.#follow(task, id)
        isOver = true
      } catch (error) {
        const code = codeOf(error)
        this.#world.trace(node.name, `submit of ${task.index} fails: ${code} ${String(error)}`)
        // Nothing was written, or it may be asked again.
        if (code === 'CLOSED' || (key !== undefined && temporary.includes(code))) again()
        else if (!temporary.includes(code)) throw error
        else isOver = true
      } finally {
        this.#submitting.delete(submit)
      }
    })
  }

  /** What is done about a task once it is known. */
  #follow(task: PlannedTask, taskId: TaskId): void {
    const now = this.#world.time.elapsed()
    for (const { node, afterMs } of task.awaits)
      this.#at(now + afterMs, () => this.#ask(this.awaits, task, taskId, node, (manager) => manager.task(taskId).finished()))
    if (task.cancel === undefined) return
    const { node, afterMs } = task.cancel
    this.#at(now + afterMs, () =>
      this.#ask(this.cancels, task, taskId, node, (manager) => manager.task(taskId).cancel({ reason: 'as planned' })),
    )
  }

  #ask<Answer>(
    list: Asked<Answer>[],
    task: PlannedTask,
    taskId: TaskId,
    name: string,
    ask: (manager: NonNullable<SimulatedNode['manager']>) => Promise<Answer>,
  ): void {
    this.#on(name, async (node) => {
      const asked: Asked<Answer> = { task, taskId, node, atMs: this.#world.time.elapsed(), answer: undefined, answeredAt: undefined }
      list.push(asked)
      const what = list === (this.awaits as unknown) ? 'await' : 'cancel'
      this.#world.trace(node.name, `${what} of ${taskId.slice(-8)}`)
      while (asked.answer === undefined && node.manager !== undefined) {
        try {
          asked.answer = await ask(node.manager)
          asked.answeredAt = this.#world.time.elapsed()
          this.#world.trace(node.name, `${what} of ${taskId.slice(-8)} is answered`)
        } catch (error) {
          this.#world.trace(node.name, `${what} of ${taskId.slice(-8)} fails: ${String(error)}`)
          if (codeOf(error) === 'CLOSED') return
          if (!temporary.includes(codeOf(error))) throw error
          await node.process.sleep(againMs)
        }
      }
    })
  }
}

const otherThan = (name: string): string => nodeNames[(nodeNames.indexOf(name) + 1) % nodeNames.length] ?? name
