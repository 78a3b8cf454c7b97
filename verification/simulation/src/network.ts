import type { EventStore, NodeRegistry, TaskStorage, TaskDetails, TaskId, TaskListing } from '@taskledger/core/ports'
import { outcomeUnknown, TaskledgerError } from '@taskledger/core/ports'
import type { EngineName } from './engine.ts'
import type { CallName } from './faults.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { World } from './world.ts'

export const never = <T>(): Promise<T> => new Promise<T>(() => {})

/** How long a notice takes to the bus, in milliseconds. */
const noticeMs = 2

/** A node, as its way to the engines sees it. */
export interface Caller {
  readonly name: string
  readonly process: SimulatedProcess
  /** The process dies here. */
  crash(restartAfterMs: number): void
}

/** The way from a node to the engines and back: it takes its time, and it is where calls meet their faults. */
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

  /** Mostly a few milliseconds, now and then long enough for others to come first. */
  latencyMs(): number {
    const drawn = this.#random()
    return drawn < 0.93 ? 0.2 + drawn * 6 : 20 + (drawn - 0.93) * 4_000
  }

  /** Makes a call. What it does happens at the engine, whatever becomes of the caller meanwhile. */
  call<T>(name: CallName, about: string, make: () => Promise<T>): Promise<T> {
    const { world } = this
    const { process, name: node, crash } = this.#caller
    if (process.isDead) return never()
    const fault = world.meet(node, name)
    const engine = name.slice(0, name.indexOf('.')) as EngineName
    if (world.traced !== undefined) world.trace(node, `→ ${name} ${about}${fault === undefined ? '' : ` [${fault.mode}]`}`)
    if (fault?.mode === 'crashBefore') {
      crash(fault.forMs)
      return never()
    }
    return new Promise<T>((resolve, reject) => {
      const reply = (settle: () => void): void => {
        const cut = world.cutBetween(node, engine)
        if (cut === undefined) process.step(settle)
        else if (cut.mode === 'refuse') process.step(() => reject(outcomeUnknown(`the connection broke during ${name}`)))
        else if (cut.mode === 'stall') world.whenMended(cut, () => reply(settle))
        else world.leaveUnanswered()
      }
      const answer = (settle: () => void): void => void world.time.schedule(this.latencyMs(), () => reply(settle))
      const fail = (error: Error): void => answer(() => reject(error))
      const happen = async (goOn: (settle: () => void) => void): Promise<void> => {
        try {
          const value = await make()
          goOn(() => resolve(value))
        } catch (thrown) {
          const error = thrown instanceof Error ? thrown : new Error(String(thrown))
          goOn(() => reject(error))
        }
      }
      const arrive = (): void => {
        const cut = world.cutBetween(node, engine)
        if (cut?.mode === 'refuse') return fail(new TaskledgerError('UNAVAILABLE', `${name} is refused`))
        if (cut?.mode === 'stall') return world.whenMended(cut, arrive)
        if (cut?.mode === 'swallow') return world.leaveUnanswered()
        switch (fault?.mode) {
          case 'unavailable':
            return fail(new TaskledgerError('UNAVAILABLE', `${name} is made to fail`))
          case 'lostRequest':
            return fail(outcomeUnknown(`${name} was lost on its way`))
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
            return answer(() => resolve(undefined as T))
          case 'crashAfter':
            return void happen(() => crash(fault.forMs))
          default:
            return void happen(answer)
        }
      }
      // Notices of one sender come in order.
      world.time.schedule(engine === 'bus' ? noticeMs : this.latencyMs(), arrive)
    })
  }
}

/** The storage of a node, at the other end of its network. */
export const distantStorage = (storage: TaskStorage, network: Network): TaskStorage => ({
  events: distantStore(storage.events, network),
  listing: distantListing(storage.listing, network),
  nodes: distantRegistry(storage.nodes, network),
  close: () => (network.caller.process.isDead ? never() : storage.close()),
})

const short = (taskId: TaskId): string => taskId.slice(-8)

const distantStore = (store: EventStore, network: Network): EventStore => ({
  capabilities: store.capabilities,
  append: (taskId, expectedVersion, events, { isFresh = false } = {}) =>
    network.call('events.append', `${short(taskId)} at ${expectedVersion}: ${events.map(({ type }) => type).join(', ')}`, async () => {
      await store.append(taskId, expectedVersion, events, { isFresh })
      network.world.write(taskId, events)
    }),
  read: (taskId, { afterVersion = 0 } = {}) =>
    network.call('events.read', `${short(taskId)} after ${afterVersion}`, () => store.read(taskId, { afterVersion })),
  histories: () => store.histories(),
  remove: (taskId) => network.call('events.remove', short(taskId), () => store.remove(taskId)),
  close: () => store.close(),
})

const distantListing = (listing: TaskListing, network: Network): TaskListing => ({
  capabilities: listing.capabilities,
  save: (details) =>
    network.call('listing.save', `${short(details.taskId)} version ${details.version} ${details.status}`, () => listing.save(details)),
  list: (filter, { signal: _signal, ...page }) => network.call('listing.list', '', () => listing.list(filter, page)),
  async *unfinished(shard, options = {}) {
    const { signal: _signal, ...rest } = options
    yield* await network.call('listing.unfinished', `shard ${shard.shard}`, async () => {
      const rows: TaskDetails[] = []
      for await (const row of listing.unfinished(shard, rest)) rows.push(row)
      return rows
    })
  },
  saveProgress: (taskId, progress) => network.call('listing.saveProgress', short(taskId), () => listing.saveProgress(taskId, progress)),
  progress: (taskId) => network.call('listing.progress', short(taskId), () => listing.progress(taskId)),
  remove: (task) => network.call('listing.remove', short(task.taskId), () => listing.remove(task)),
  close: () => listing.close(),
})

const distantRegistry = (nodes: NodeRegistry, network: Network): NodeRegistry => ({
  capabilities: nodes.capabilities,
  renew: (node, ttlMs) => network.call('nodes.renew', node.nodeId, () => nodes.renew(node, ttlMs)),
  leave: (nodeId) => network.call('nodes.leave', nodeId, () => nodes.leave(nodeId)),
  live: () => network.call('nodes.live', '', () => nodes.live()),
  close: () => nodes.close(),
})
