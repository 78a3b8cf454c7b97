import { devNull } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Figure } from '../figures.ts'
import type { Burst, BurstTimes } from './burst.ts'
import type { Clusters } from './clusters.ts'
import type { Counts } from './counts.ts'
import type { Child } from './rpc.ts'
import { startChild } from './rpc.ts'
import type { BareCommands, BareNodeArgument } from './floors/bare-node.ts'
import type { Engines } from './engines.ts'
import type { NodeArgument, NodeCommands, Told } from './node.ts'
import type { OwnServers } from './open-engines.ts'

/** A figure, and what was asked for. */
export interface EngineFigure extends Figure {
  /** What else there is to know: the range, what it is made of. */
  readonly detail?: string
  readonly aim?: string
}

/** What a program measures with. */
export interface Bench {
  readonly engines: Engines
  /** The servers, where they were started for this run: what they take counts as theirs, and they may be ended and started. */
  readonly own: OwnServers | undefined
  /** How much of everything: 1 is all of it. */
  readonly scale: number
  /** Where processes leave their profiles, if anywhere. */
  readonly profileInto: string | undefined
  /** Where nodes log to, if not to the console. */
  readonly logInto: string | undefined
  /** How long an outage lasts, in milliseconds. */
  readonly outageMs: number
  /** The processes that throughput is measured with, started when they are first asked for. */
  readonly clusters: () => Promise<Clusters>
}

/** A program of the set: it runs alone, in bounded time. */
export interface Program {
  readonly about: string
  /** No run may take longer, in milliseconds. One that says so takes long, and runs only where it is named. Default 150,000. */
  readonly longestMs?: number
  run(bench: Bench): Promise<readonly EngineFigure[]>
}

/** What processes of the framework and of the floor can be asked for alike. */
export interface BurstCommands {
  readonly [name: string]: (argument: never) => Promise<unknown>
  readonly burst: (burst: Burst) => Promise<BurstTimes>
  readonly counts: () => Promise<Counts>
}

let prefixes = 0

/** Keeps the rows and queues of one program apart from those of the others. */
export const freshPrefix = (): string => `b${process.pid}-${prefixes++}`

const profiling = ({ profileInto }: Bench): readonly string[] =>
  profileInto === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileInto]

export interface NodeOptions {
  readonly prefix: string
  /** By name, how many tasks each runs at a time; 0: a front-end. */
  readonly nodes: Readonly<Record<string, number>>
  readonly isCounting?: boolean
  /** Whether lease and janitor do nothing while it is measured. */
  readonly isUnguarded?: boolean
  /** Whether they warn of what is done to them, as they should: nobody hears it, unless there is a place for logs. */
  readonly isHarmed?: boolean
}

/** Where a node logs to, as {@link NodeArgument} has it. */
export const logOf = ({ logInto }: Bench, name: string, isHarmed: boolean): { readonly log?: string } => {
  if (logInto !== undefined) return { log: join(logInto, `${name}.log`) }
  return isHarmed ? { log: devNull } : {}
}

export type NodeChild = Child<NodeCommands, Told>

/** Starts processes of the framework and waits until all of them are there. */
export const startNodes = async (bench: Bench, options: NodeOptions): Promise<readonly NodeChild[]> => {
  const { prefix, nodes, isCounting = false, isUnguarded = false, isHarmed = false } = options
  const children = Object.entries(nodes).map(([name, slots]) => {
    const log = logOf(bench, `${prefix}-${name}`, isHarmed)
    const argument: NodeArgument = { engines: bench.engines, prefix, name, slots, isCounting, isUnguarded, ...log }
    return startChild<NodeCommands, Told>(new URL('node.ts', import.meta.url), argument, profiling(bench))
  })
  await Promise.all(children.map((child) => child.call('open')))
  return children
}

/** Starts processes of the floor of the whole: two workers and a submitter, the last of them. */
export const startBareNodes = async (bench: Bench, slots: number, isCounting = false): Promise<readonly Child<BareCommands>[]> => {
  const argument: BareNodeArgument = { engines: bench.engines, name: freshPrefix(), isCounting }
  const children = ['worker', 'worker', 'submitter'].map(() =>
    startChild<BareCommands>(new URL('floors/bare-node.ts', import.meta.url), argument, profiling(bench)),
  )
  await Promise.all(children.map((child) => child.call('open')))
  await Promise.all(children.slice(0, 2).map((child) => child.call('work', slots)))
  return children
}

export const endAll = async (children: readonly { end(): Promise<void> }[]): Promise<void> => {
  await Promise.all(children.map((child) => child.end()))
}
