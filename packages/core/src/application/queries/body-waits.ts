import type { TaskId } from '../../domain/task-id.ts'
import type { TaskStatus } from '../../domain/task-status.ts'
import type { RunningBody } from '../node/body-scope.ts'
import { callingBody } from '../node/body-scope.ts'

/** What is known of an awaited task. */
type Awaited = { readonly status: TaskStatus; readonly queue?: string }

/** A body of this node awaits a task. */
export class BodyWait {
  readonly body: RunningBody
  readonly #end: (wait: BodyWait) => void
  #status: TaskStatus | undefined
  #queue: string | undefined

  constructor(body: RunningBody, end: (wait: BodyWait) => void) {
    this.body = body
    this.#end = end
  }

  /** Whether the awaited task waits in the queue whose slot the body holds. */
  get isForOwnQueue(): boolean {
    return this.#status === 'waiting' && this.#queue === this.body.queue
  }

  saw({ status, queue = this.#queue }: Awaited): void {
    this.#status = status
    this.#queue = queue
  }

  end(): void {
    this.#end(this)
  }
}

/** The waits of bodies. A body holds the slot of a queue; if all slots are held by bodies that await tasks of this queue, none can start. */
export class BodyWaits {
  readonly #waits = new Set<BodyWait>()

  /** Notes that the calling body awaits a task; `undefined` if no body makes this call. */
  begin(): BodyWait | undefined {
    const body = callingBody()
    if (body === undefined) return undefined
    const wait = new BodyWait(body, (ended) => this.#waits.delete(ended))
    this.#waits.add(wait)
    return wait
  }

  /** For each queue, how many of its slots are held by bodies that await a task which waits in the same queue. */
  get blocked(): Readonly<Record<string, number>> {
    const bodies = new Map<TaskId, string>()
    for (const wait of this.#waits) if (wait.isForOwnQueue) bodies.set(wait.body.taskId, wait.body.queue)
    const blocked: Record<string, number> = {}
    for (const queue of bodies.values()) blocked[queue] = (blocked[queue] ?? 0) + 1
    return blocked
  }
}
