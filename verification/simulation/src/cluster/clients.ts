import type { CancelOutcome } from '@taskledger/core'
import { codeOf } from '@taskledger/core'
import type { TaskDetails, TaskId } from '@taskledger/core/ports'
import type { Plan, PlannedTask } from '../plan/plan.ts'
import { nodeNames } from '../plan/plan.ts'
import { careless } from './careless.ts'
import type { SimulatedNode } from './node.ts'
import type { World } from '../world/world.ts'

/** A request of a client, and its answer. Times are in milliseconds since the start. */
export interface Asked<Answer> {
  readonly task: PlannedTask
  readonly taskId: TaskId
  readonly node: SimulatedNode
  readonly atMs: number
  /** `removed`: the client was told that the task does not exist. */
  answer: Answer | 'removed' | undefined
  answeredAt: number | undefined
}

/** The codes after which a client asks again, or asks another node. */
const temporary: readonly (string | undefined)[] = ['OUTCOME_UNKNOWN', 'UNAVAILABLE']

/** How long a client waits before it asks again, in milliseconds. */
const againMs = 1_000

/** How long a client waits for the answer of a submit with a key before it asks another node, in milliseconds. */
const patienceMs = 40_000

/** How long a task has to be finished before it is purged, in milliseconds: by then nobody writes to it or asks about it any more. */
const purgedAfterMs = 60_000

/** The clients that submit, cancel and await. If their node is gone, they ask another node, provided that asking twice is safe. */
export class Clients {
  /** The acknowledged ids of each planned task. */
  readonly acknowledged = new Map<PlannedTask, TaskId[]>()
  /** How many submits were told that they created a task. */
  readonly created = new Map<TaskId, number>()
  readonly cancels: Asked<CancelOutcome>[] = []
  readonly awaits: Asked<TaskDetails>[] = []
  /** Answers that no client should have got. */
  readonly lies: string[] = []
  readonly #world: World
  readonly #nodeNamed: (name: string) => SimulatedNode | undefined
  /** How many actions are still to be made, or wait for a node. */
  #ahead = 0
  /** The submits under way, each with its node. */
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
    const { careless, purge } = world.plan
    if (careless !== undefined) this.#at(careless.atMs, () => this.#submitCarelessly(careless))
    if (purge !== undefined) this.#at(purge.atMs, () => this.#purge(purge.node))
  }

  /** Submits what could not be read back: it has to be refused. */
  #submitCarelessly({ node: name, gives }: NonNullable<Plan['careless']>): void {
    this.#on(name, async ({ manager, tasks }) => {
      if (manager === undefined) return
      const { task, options } = careless(gives, tasks.nothing)
      let told = 'it was accepted'
      try {
        await manager.submit(task, { bodyMs: 0, failures: 0 }, options)
      } catch (error) {
        if (codeOf(error) === 'MISUSE' || codeOf(error) === 'CLOSED') return
        told = String(error)
      }
      this.lies.push(`a submit with a wrong ${gives}: ${told}`)
    })
  }

  /** Whether every request has its answer, except requests to a node that is gone. */
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

  /** Acts in the process of the node, or of another node if it is gone. */
  #on(name: string, act: (node: SimulatedNode) => Promise<void>): void {
    const node = [name, ...nodeNames].map(this.#nodeNamed).find((candidate) => candidate?.manager !== undefined)
    if (node === undefined) return this.#at(this.#world.time.elapsed() + againMs, () => this.#on(name, act))
    node.process.step(() => {
      act(node).catch((error: unknown) => this.lies.push(`a client on ${node.name} got: ${String(error)}`))
    })
  }

  #submit(task: PlannedTask, name: string, isFirst: boolean): void {
    this.#on(name, async (node) => {
      const { manager, tasks } = node
      if (manager === undefined) return this.#submit(task, name, isFirst)
      const { bodyMs, failures, restartMs, key, notBeforeMs } = task
      let isOver = false
      const submit = {}
      this.#submitting.set(submit, node)
      const again = (): void => {
        if (isOver) return
        isOver = true
        this.#at(this.#world.time.elapsed() + againMs, () => this.#submit(task, otherThan(node.name), isFirst))
      }
      // Without an answer, a client asks another node, if that is safe.
      if (key !== undefined) this.#at(this.#world.time.elapsed() + patienceMs, () => (node.process.isDead ? again() : undefined))
      try {
        this.#world.trace(node.name, `submit of ${task.kind} ${task.index}${key === undefined ? '' : ` (${key})`}`)
        const { id, isNew } = await manager.submit(
          tasks[task.kind],
          { bodyMs, failures, ...(restartMs === undefined ? {} : { restartMs }) },
          {
            ...(key === undefined ? {} : { idempotencyKey: key }),
            ...(notBeforeMs === undefined ? {} : { notBefore: node.process.now() + notBeforeMs }),
          },
        )
        this.#world.trace(node.name, `submit of ${task.index} is acknowledged: ${id.slice(-8)}`)
        if (isNew) this.created.set(id, (this.created.get(id) ?? 0) + 1)
        this.acknowledged.set(task, [...(this.acknowledged.get(task) ?? []), id])
        if (!isOver && isFirst) this.#follow(task, id)
        isOver = true
      } catch (error) {
        const code = codeOf(error)
        this.#world.trace(node.name, `submit of ${task.index} fails: ${code} ${String(error)}`)
        // Nothing was written, or asking again is safe.
        if (code === 'CLOSED' || (key !== undefined && temporary.includes(code))) again()
        else if (!temporary.includes(code)) throw error
        else isOver = true
      } finally {
        this.#submitting.delete(submit)
      }
    })
  }

  /** Purges, and then uses the keys again. */
  #purge(name: string): void {
    this.#on(name, async ({ manager, process, name: asked }) => {
      const finishedBefore = this.#world.time.startAt + this.#world.time.elapsed() - purgedAfterMs
      const again = (): void => this.#at(this.#world.time.elapsed() + againMs, () => this.#purge(otherThan(asked)))
      // A process that dies gives no answer.
      let isOver = false
      this.#at(this.#world.time.elapsed() + patienceMs, () => (process.isDead && !isOver ? again() : undefined))
      this.#world.hasPurged = true
      try {
        const outcome = await manager?.purge({ finishedBefore })
        this.#world.trace(asked, `purge: ${JSON.stringify(outcome)}`)
        isOver = true
      } catch (error) {
        isOver = true
        this.#world.trace(asked, `purge fails: ${String(error)}`)
        if (codeOf(error) !== 'CLOSED' && !temporary.includes(codeOf(error))) throw error
        return again()
      }
      const now = this.#world.time.elapsed()
      for (const task of this.#world.plan.tasks) {
        const { reuse } = task
        if (reuse !== undefined) this.#at(now + reuse.afterMs, () => this.#submit(task, reuse.node, false))
      }
    })
  }

  /** Cancels and awaits a task once its id is known. */
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
          if (codeOf(error) === 'TASK_NOT_FOUND') {
            asked.answer = 'removed'
            asked.answeredAt = this.#world.time.elapsed()
            return
          }
          if (!temporary.includes(codeOf(error))) throw error
          await node.process.sleep(againMs)
        }
      }
    })
  }
}

const otherThan = (name: string): string => nodeNames[(nodeNames.indexOf(name) + 1) % nodeNames.length] ?? name
