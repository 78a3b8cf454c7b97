import type { TaskDetails, TaskId } from '@taskledger/core/ports'
import { outcomeUnknown, unavailable } from '@taskledger/core/ports'
import type { Call, CallOf, Interceptor, Next, NodeProcess } from '@taskledger/test-kit/faults'
import { never } from '@taskledger/test-kit/faults'
import { serialQueue } from '../plan/plan.ts'
import type { EngineName } from './engine.ts'
import type { World } from './world.ts'

/** How long a notice takes to the bus, in milliseconds. */
const noticeMs = 2

/** A node, as its network sees it. */
export interface Caller {
  readonly name: string
  readonly process: NodeProcess
  /** The process dies here. */
  crash(restartAfterMs: number): void
}

/** The network between a node and the engines. It takes time, and it is where calls meet their faults. */
export class Network {
  readonly world: World
  readonly #caller: Caller
  readonly #random: () => number

  constructor(world: World, caller: Caller, purpose: string) {
    this.world = world
    this.#caller = caller
    this.#random = world.random(`latency ${purpose}`)
  }

  get caller(): Caller {
    return this.#caller
  }

  /** Mostly a few milliseconds, sometimes long enough for other calls to overtake. */
  latencyMs(): number {
    const drawn = this.#random()
    return drawn < 0.93 ? 0.2 + drawn * 6 : 20 + (drawn - 0.93) * 4_000
  }

  /** What the adapters of the node are wrapped with. */
  readonly intercept: Interceptor = (call, next) => {
    switch (call.name) {
      case 'storage.close':
      case 'messaging.close':
      case 'consumer.close':
        return this.#caller.process.isDead ? never() : next()
      // The connection delays what is inbound. Repairs read histories, and no simulated node repairs.
      case 'inbound.delivery':
      case 'inbound.notice':
      case 'inbound.gap':
      case 'events.histories':
        return next()
      case 'delivery.accept':
        // The connection accepts it at the end of the run.
        return call.queue === serialQueue ? next() : this.#call(call, next)
      default:
        return this.#call(call, next)
    }
  }

  /** Makes a call. Its effect happens at the engine, whatever becomes of the caller meanwhile. */
  #call(call: Call, next: Next): Promise<unknown> {
    const { world } = this
    const { name } = call
    const { process, name: node, crash } = this.#caller
    if (process.isDead) return never()
    const fault = world.meet(node, name)
    const engine = engineOf(call)
    if (world.traced !== undefined) world.trace(node, `→ ${name} ${describe(call)}${fault === undefined ? '' : ` [${fault.mode}]`}`)
    if (fault?.mode === 'crashBefore') {
      crash(fault.forMs)
      return never()
    }
    return new Promise<unknown>((resolve, reject) => {
      const reply = (settle: () => void): void => {
        const cut = world.cutBetween(node, engine)
        if (cut === undefined) process.step(settle)
        else if (cut.mode === 'refuse') process.step(() => reject(outcomeUnknown(`the connection broke during ${name}`)))
        else if (cut.mode === 'stall') world.whenHealed(cut, () => reply(settle))
        else world.leaveUnanswered()
      }
      const answer = (settle: () => void): void => void world.time.schedule(this.latencyMs(), () => reply(settle))
      const fail = (error: Error): void => answer(() => reject(error))
      const happen = async (settleWith: (settle: () => void) => void): Promise<void> => {
        try {
          const value = await this.#make(call, next)
          settleWith(() => resolve(value))
        } catch (thrown) {
          const error = thrown instanceof Error ? thrown : new Error(String(thrown))
          settleWith(() => reject(error))
        }
      }
      const arrive = (): void => {
        const cut = world.cutBetween(node, engine)
        if (cut?.mode === 'refuse') return fail(unavailable(`${name} is refused`))
        if (cut?.mode === 'stall') return world.whenHealed(cut, arrive)
        if (cut?.mode === 'swallow') return world.leaveUnanswered()
        switch (fault?.mode) {
          case 'unavailable':
            return fail(unavailable(`${name} is made to fail`))
          case 'lostRequest':
            return fail(outcomeUnknown(`the request of ${name} was lost`))
          case 'lostReply':
            return void happen(() => fail(outcomeUnknown(`the answer of ${name} was lost`)))
          case 'noAnswer':
            return void happen(() => world.leaveUnanswered())
          case 'vanishes':
            return world.leaveUnanswered()
          case 'late':
            return world.happenLate(fault.forMs, () => void happen(answer))
          case 'slowReply':
            return void happen((settle) => world.happenLate(fault.forMs, () => answer(settle)))
          case 'twice':
            return void happen(() => void happen(answer))
          case 'forgotten':
            return answer(() => resolve(undefined))
          case 'crashAfter':
            return void happen(() => crash(fault.forMs))
          default:
            return void happen(answer)
        }
      }
      // Notices of one sender arrive in order.
      world.time.schedule(engine === 'bus' ? noticeMs : this.latencyMs(), arrive)
    })
  }

  /** The effect of a call at the engine, and what the world notes of it. The signal of the caller does not reach the engine. */
  #make(call: Call, next: Next): unknown {
    const args = call.signal === undefined ? call.args : withoutSignal(call.args)
    switch (call.name) {
      case 'events.append':
        return this.#append(call, () => next(...args))
      case 'events.remove':
        return this.#remove(call, () => next(...args))
      case 'queue.send':
        return this.#send(call, () => next(...args))
      case 'listing.unfinished':
        return collected(next(...args) as AsyncIterable<TaskDetails>)
      default:
        return next(...args)
    }
  }

  async #append({ args: [taskId, , events] }: CallOf<'events.append'>, append: () => unknown): Promise<void> {
    await append()
    this.world.write(taskId, events)
  }

  async #remove({ args: [taskId] }: CallOf<'events.remove'>, remove: () => unknown): Promise<void> {
    await remove()
    this.world.remove(taskId)
  }

  async #send({ args: [, { taskId }] }: CallOf<'queue.send'>, send: () => unknown): Promise<void> {
    this.world.countSend(taskId)
    await send()
  }
}

const engineOf = ({ port }: Call): EngineName => (port === 'delivery' ? 'queue' : (port as EngineName))

/** Options are the last argument. */
const withoutSignal = (args: readonly unknown[]): readonly unknown[] => [
  ...args.slice(0, -1),
  { ...(args.at(-1) as object), signal: undefined },
]

/** Simulated calls have one answer: all rows. */
const collected = async (unfinished: AsyncIterable<TaskDetails>): Promise<readonly TaskDetails[]> => {
  const rows: TaskDetails[] = []
  for await (const row of unfinished) rows.push(row)
  return rows
}

const short = (taskId: TaskId): string => taskId.slice(-8)

const describe = (call: Call): string => {
  switch (call.name) {
    case 'events.append':
      return `${short(call.args[0])} at ${call.args[1]}: ${call.args[2].map(({ type }) => type).join(', ')}`
    case 'events.read':
      return `${short(call.args[0])} after ${call.args[1]?.afterVersion ?? 0}`
    case 'listing.save':
      return `${short(call.args[0].taskId)} version ${call.args[0].version} ${call.args[0].status}`
    case 'listing.unfinished':
      return `shard ${call.args[0].shard}`
    case 'nodes.renew':
      return call.args[0].nodeId
    case 'nodes.leave':
      return call.args[0]
    case 'queue.send':
      return `${short(call.args[1].taskId)} version ${call.args[1].version}`
    case 'bus.publish':
      return call.args[0].map(({ type, version }) => `${type} ${version}`).join(', ')
    default:
      return call.taskId === undefined ? (call.queue ?? '') : short(call.taskId)
  }
}
