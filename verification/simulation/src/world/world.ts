import type { TaskEvent, TaskId } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { seededRandom } from '@taskledger/core/testing'
import type { CallName } from '@taskledger/test-kit/faults'
import type { EngineName, MakeEngine, SimulatedEngine } from './engine.ts'
import type { CallFault, Cut, Fault } from '../plan/faults.ts'
import type { Plan } from '../plan/plan.ts'
import { Forger } from './forger.ts'
import { SimulatedTime } from './time.ts'

/** An event, and the time of the world when it was appended. */
export interface Written {
  readonly event: TaskEvent
  readonly atMs: number
}

/** A node said in its log that others do not share storage and messaging with it. */
export interface ToldApart {
  readonly by: string
  /** The ids of the others. */
  readonly nodes: readonly string[]
  readonly atMs: number
}

/** How long a fault slows the cluster down after its end, in milliseconds: the sum of the times of core. */
const afterwardsMs = 16_000
/** How long after the death of a node until its lease has expired, others have noticed, and its tasks are under way again, in milliseconds. */
const afterDeathMs = 75_000
/** How long after notices were lost silently until the next poll, in milliseconds. */
const afterDeafnessMs = 40_000

/** How long a caller waits for an answer and then until it asks again, in milliseconds. */
const givingUpMs = 14_000

/** What all nodes of a simulation share: time, engines, cuts, and what was observed. */
export class World {
  readonly time = new SimulatedTime()
  readonly engine: SimulatedEngine
  readonly plan: Plan
  /** What nodes told of others that do not share storage and messaging with them. */
  readonly apart: ToldApart[] = []
  readonly written = new Map<TaskId, Written[]>()
  /** When the history of a task was first removed. */
  readonly removed = new Map<TaskId, number>()
  readonly #forger: Forger
  readonly #sends = new Map<TaskId, number>()
  readonly traced: string[] | undefined
  /** Everything has come to its end, and no fault begins any more. */
  isClosing = false
  /** Whether a client has asked for a purge: then histories may be missing. */
  hasPurged = false
  /** The engine of the misplaced node. */
  readonly #otherEngine: SimulatedEngine | undefined
  readonly #cuts = new Map<Cut, (() => void)[]>()
  /** Each with how many calls of its name its node has made. */
  readonly #callFaults: readonly { readonly fault: CallFault; count: number }[]
  readonly #struck = new Set<Fault>()
  readonly #skews: { readonly node: string; readonly skewMs: number; readonly atMs: number }[] = []
  readonly #calmOf = new Map<string | undefined, number>()
  #calls = 0
  #late = 0
  #unansweredAt = -Infinity
  #calmAt = 0
  #wakefulAt = 0

  constructor(plan: Plan, makeEngine: MakeEngine, isTraced: boolean) {
    this.plan = plan
    this.#callFaults = plan.faults.flatMap((fault) => (fault.type === 'call' ? [{ fault, count: 0 }] : []))
    this.traced = isTraced ? [] : undefined
    this.engine = makeEngine({ clock: this.time, logger: silentLogger })
    this.#forger = new Forger({
      forgeries: plan.forgeries ?? [],
      time: this.time,
      engine: this.engine,
      isOver: () => this.isClosing,
      trace: (text) => this.trace('!', text),
    })
    if (plan.misplaced !== undefined) this.#otherEngine = makeEngine({ clock: this.time, logger: silentLogger })
  }

  /** The engine that a node is connected to. */
  engineOf(node: string, kind: 'storage' | 'messaging'): SimulatedEngine {
    const { misplaced } = this.plan
    return misplaced?.node === node && misplaced.lacks === kind ? (this.#otherEngine ?? this.engine) : this.engine
  }

  /** From when on a living node gets its answers and notices, except notices that were lost silently. */
  calmAtOf(node: string): number {
    return Math.max(this.#calmOf.get(undefined) ?? 0, this.#calmOf.get(node) ?? 0)
  }

  /** From when on every node lives and gets its answers, in milliseconds since the start, as far as is known now. */
  get calmAtMs(): number {
    return this.#calmAt
  }

  /** From when on every waiter has polled since the last notice that may have been lost silently. */
  get wakefulAtMs(): number {
    // The notices of a node on other messaging are always lost.
    if (this.plan.misplaced?.lacks === 'messaging') return Infinity
    return this.#wakefulAt === 0 ? this.#calmAt : Math.max(this.#calmAt, this.#wakefulAt)
  }

  /** The faults that hit something. */
  get struck(): ReadonlySet<Fault> {
    return this.#struck
  }

  get calls(): number {
    return this.#calls
  }

  /** Whether every caller has its answer, or has given up and had time to retry. */
  get isAnswered(): boolean {
    return this.#late === 0 && this.time.elapsed() - this.#unansweredAt > givingUpMs
  }

  /** Leaves a call without an answer. */
  leaveUnanswered(): void {
    this.#unansweredAt = this.time.elapsed()
  }

  /** Delays an effect until its caller has given up, or an answer. */
  happenLate(ms: number, happen: () => void): void {
    this.#late++
    this.time.schedule(ms, () => {
      this.#late--
      happen()
    })
  }

  trace(node: string, text: string): void {
    this.traced?.push(`${(this.time.elapsed() / 1_000).toFixed(3).padStart(8)} ${node.padEnd(2)} ${text}`)
  }

  random(purpose: string): () => number {
    return seededRandom(this.plan.seed, purpose)
  }

  /** A fault begins that lasts that long. */
  strike(fault: Fault, forMs: number): void {
    this.#struck.add(fault)
    const isDeath =
      fault.type === 'crash' ||
      fault.type === 'freeze' ||
      fault.type === 'suspend' ||
      fault.type === 'shutdown' ||
      (fault.type === 'call' && fault.mode.startsWith('crash'))
    const untilMs = this.time.elapsed() + forMs
    // A node that dies has not published what it appended. A failed read of the store is repeated at the next poll.
    const isSilent =
      isDeath ||
      (fault.type === 'deaf' && !fault.isTold) ||
      (fault.type === 'cut' && fault.engines.includes('events')) ||
      (fault.type === 'call' && fault.call === 'events.read')
    if (isSilent) this.#wakefulAt = Math.max(this.#wakefulAt, untilMs + afterDeafnessMs)
    // No promise depends on the wall clocks.
    if ((fault.type === 'deaf' && !fault.isTold) || fault.type === 'skew') return
    this.#calmAt = Math.max(this.#calmAt, untilMs + (isDeath ? afterDeathMs : afterwardsMs))
    this.#calmOf.set(fault.node, Math.max(this.#calmOf.get(fault.node) ?? 0, untilMs + afterwardsMs))
  }

  /** Notes how far the wall clock of a node is ahead from now on. */
  noteSkew(node: string, skewMs: number): void {
    this.#skews.push({ node, skewMs, atMs: this.time.elapsed() })
  }

  /**
   * When the wall clock of a node shows a time, in milliseconds since the start: the earliest and the latest moment, because the clock may have
   * been set before `byMs`, when the time was written.
   */
  whenShown(time: number, nodeId: string, byMs: number): { readonly earliestMs: number; readonly latestMs: number } {
    const skews = [0, ...this.#skews.filter(({ node, atMs }) => nodeId.startsWith(`${node}-`) && atMs <= byMs).map(({ skewMs }) => skewMs)]
    const isWrongAtStart = this.#skews.some(({ node, atMs }) => nodeId.startsWith(`${node}-`) && atMs === 0)
    const settings = isWrongAtStart ? skews.slice(1) : skews
    const at = time - this.time.startAt
    return { earliestMs: at - Math.max(...settings), latestMs: at - Math.min(...settings) }
  }

  /** Counts a call, and returns the fault that hits it, if one does. */
  meet(node: string, call: CallName): CallFault | undefined {
    this.#calls++
    if (this.isClosing) return undefined
    let hit: CallFault | undefined
    for (const ahead of this.#callFaults)
      if (ahead.fault.node === node && ahead.fault.call === call && ++ahead.count === ahead.fault.nth) hit ??= ahead.fault
    if (hit !== undefined) this.strike(hit, hit.mode === 'late' || hit.mode === 'slowReply' ? hit.forMs : 0)
    return hit
  }

  cut(cut: Cut): void {
    this.#cuts.set(cut, [])
  }

  heal(cut: Cut): void {
    const waiting = this.#cuts.get(cut) ?? []
    this.#cuts.delete(cut)
    for (const goOn of waiting) goOn()
  }

  /** The cut between a node and an engine, if there is one now. */
  cutBetween(node: string, engine: EngineName): Cut | undefined {
    for (const cut of this.#cuts.keys()) if ((cut.node === undefined || cut.node === node) && cut.engines.includes(engine)) return cut
    return undefined
  }

  whenHealed(cut: Cut, goOn: () => void): void {
    this.#cuts.get(cut)?.push(goOn)
  }

  countSend(taskId: TaskId): void {
    this.#sends.set(taskId, this.sendsOf(taskId) + 1)
  }

  /** How often the message of a task was sent. */
  sendsOf(taskId: TaskId): number {
    return this.#sends.get(taskId) ?? 0
  }

  remove(taskId: TaskId): void {
    if (!this.removed.has(taskId)) this.removed.set(taskId, this.time.elapsed())
  }

  write(taskId: TaskId, events: readonly TaskEvent[]): void {
    const known = this.written.get(taskId) ?? []
    for (const event of events) {
      if (event.type === 'TaskCreated' && known.length === 0) this.#forger.see(event)
      if (!known.some(({ event: { eventId } }) => eventId === event.eventId)) known.push({ event, atMs: this.time.elapsed() })
    }
    this.written.set(taskId, known)
  }
}
