import type { CallName } from '@taskledger/test-kit/faults'
import type { EngineName } from '../world/engine.ts'

/**
 * What becomes of one call. `unavailable`: it does not happen, and says so. `lostRequest`, `lostReply`: it does not happen, or does, and
 * that cannot be told. `noAnswer`: it happens, and nothing ever says so. `vanishes`: it does not happen, and nothing ever says so.
 * `late`: it happens long after the caller gave up. `slowReply`: it happens, and the answer takes its time. `twice`: it happens twice.
 * `forgotten`: an acknowledged message is lost. `crashBefore`, `crashAfter`: the process dies there.
 */
export type CallFaultMode =
  | 'unavailable'
  | 'lostRequest'
  | 'lostReply'
  | 'noAnswer'
  | 'vanishes'
  | 'late'
  | 'slowReply'
  | 'twice'
  | 'forgotten'
  | 'crashBefore'
  | 'crashAfter'

/** The `nth` call of that name by a node, of all its incarnations. */
export interface CallFault {
  readonly type: 'call'
  readonly node: string
  readonly call: CallName
  readonly nth: number
  readonly mode: CallFaultMode
  /** How long it takes, where it is about time; or until the node that crashed is started again. */
  readonly forMs: number
}

/** How calls fare that meet a partition: refused at once; held until it is over; nothing comes through, either way or back. */
export type CutMode = 'refuse' | 'stall' | 'swallow' | 'swallowReplies'

/** Nothing passes between a node, or all of them, and some engines. */
export interface Cut {
  readonly type: 'cut'
  /** Nothing: an outage of the engines, for all. */
  readonly node: string | undefined
  readonly engines: readonly EngineName[]
  readonly mode: CutMode
  readonly atMs: number
  readonly forMs: number
}

/** What befalls the process of a node. */
export interface NodeFault {
  readonly type: 'freeze' | 'crash' | 'shutdown'
  readonly node: string
  readonly atMs: number
  /** How long it is frozen, or until it is started again. */
  readonly forMs: number
}

/** The clock of a node is set: the machine's, not that by which it measures how long something takes. */
export interface Skew {
  readonly type: 'skew'
  readonly node: string
  readonly atMs: number
  readonly skewMs: number
}

/** A node does not hear notices; `isTold` says whether it is told afterwards that it may have missed some. */
export interface Deafness {
  readonly type: 'deaf'
  readonly node: string
  readonly atMs: number
  readonly forMs: number
  readonly isTold: boolean
}

/** The connection of a node to queue and bus breaks and is made again. */
export interface Disconnection {
  readonly type: 'disconnect'
  readonly node: string
  readonly atMs: number
  readonly forMs: number
}

/** What is done to a cluster. */
export type Fault = CallFault | Cut | NodeFault | Skew | Deafness | Disconnection

/** A fault in words. */
export const describeFault = (fault: Fault): string => {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
  switch (fault.type) {
    case 'call': {
      const time = ['late', 'slowReply', 'crashBefore', 'crashAfter'].includes(fault.mode) ? ` (${seconds(fault.forMs)})` : ''
      return `${fault.node}: call ${fault.nth} of ${fault.call} → ${fault.mode}${time}`
    }
    case 'cut':
      return `${fault.node ?? 'all nodes'}: cut from ${fault.engines.join(', ')} (${fault.mode}) at ${seconds(fault.atMs)} for ${seconds(fault.forMs)}`
    case 'skew':
      return `${fault.node}: clock set ${seconds(fault.skewMs)} ahead at ${seconds(fault.atMs)}`
    case 'deaf':
      return `${fault.node}: hears no notices at ${seconds(fault.atMs)} for ${seconds(fault.forMs)}${fault.isTold ? ', and is told' : ''}`
    default:
      return `${fault.node}: ${fault.type} at ${seconds(fault.atMs)} for ${seconds(fault.forMs)}`
  }
}
