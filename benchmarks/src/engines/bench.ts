import process from 'node:process'
import type { Figure } from '../figures.ts'
import type { Burst, BurstTimes } from './burst.ts'
import type { Counts } from './counts.ts'
import type { Child } from './rpc.ts'
import { startChild } from './rpc.ts'
import type { BareCommands, BareNodeArgument } from './floors/bare-node.ts'
import type { Engines } from './engines.ts'
import type { NodeArgument, NodeCommands, Told } from './node.ts'

/** A figure, and what was asked for. */
export interface EngineFigure extends Figure {
  /** What else there is to know: the range, what it is made of. */
  readonly detail?: string
  readonly aim?: string
}

/** What a program measures with. */
export interface Bench {
  readonly engines: Engines
  readonly pids: { readonly cassandra?: number; readonly rabbitmq?: number }
  /** How much of everything: 1 is all of it. */
  readonly scale: number
  /** Where processes leave their profiles, if anywhere. */
  readonly profileInto: string | undefined
}

/** A program of the set: it runs alone, in bounded time. */
export interface Program {
  readonly about: string
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
}

export type NodeChild = Child<NodeCommands, Told>

/** Starts processes of the framework and waits until all of them are there. */
export const startNodes = async (bench: Bench, { prefix, nodes, isCounting = false }: NodeOptions): Promise<readonly NodeChild[]> => {
  const children = Object.entries(nodes).map(([name, slots]) =>
    startChild<NodeCommands, Told>(
      new URL('node.ts', import.meta.url),
      { engines: bench.engines, prefix, name, slots, isCounting } satisfies NodeArgument,
      profiling(bench),
    ),
  )
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
