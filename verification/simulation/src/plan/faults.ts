import type { CallName } from '@taskledger/test-kit/faults'
import type { EngineName } from '../world/engine.ts'

/**
 * What becomes of one call.
 *
 * - `unavailable`: it does not happen, and fails as such.
 * - `lostRequest`, `lostReply`: it does not happen, or it happens, and fails with an unknown outcome.
 * - `vanishes`, `noAnswer`: it does not happen, or it happens, and is never answered.
 * - `late`: it happens long after the caller gave up.
 * - `slowReply`: it happens, and its answer is slow.
 * - `twice`: it happens twice.
 * - `forgotten`: an acknowledged message is lost.
 * - `crashBefore`, `crashAfter`: the process dies before the call, or after it and before the answer.
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

/** Hits the `nth` call of a name by a node, counted over all incarnations of the node. */
export interface CallFault {
  readonly type: 'call'
  readonly node: string
  readonly call: CallName
  readonly nth: number
  readonly mode: CallFaultMode
  /** How long a late call or a slow answer takes, or until a crashed node starts again. */
  readonly forMs: number
}

/** What a cut does to calls: refuses them at once, holds them until it is over, or swallows requests and replies, or only replies. */
export type CutMode = 'refuse' | 'stall' | 'swallow' | 'swallowReplies'

/** Cuts one node, or all nodes, off from some engines. */
export interface Cut {
  readonly type: 'cut'
  /** Undefined for all nodes: an outage of the engines. */
  readonly node: string | undefined
  readonly engines: readonly EngineName[]
  readonly mode: CutMode
  readonly atMs: number
  readonly forMs: number
}

/** A fault of the process of a node. `suspend` freezes it together with its monotonic clock, as a suspended machine does. */
export interface NodeFault {
  readonly type: 'freeze' | 'suspend' | 'crash' | 'shutdown'
  readonly node: string
  readonly atMs: number
  /** How long the node is frozen or suspended, or until it starts again. */
  readonly forMs: number
}

/** Sets the wall clock of a node. Its monotonic clock is not affected. */
export interface Skew {
  readonly type: 'skew'
  readonly node: string
  readonly atMs: number
  readonly skewMs: number
}

/** A node misses notices. `isTold` says whether its bus reports the gap afterwards. */
export interface Deafness {
  readonly type: 'deaf'
  readonly node: string
  readonly atMs: number
  readonly forMs: number
  readonly isTold: boolean
}

/** The connection of a node to queue and bus breaks and is restored. */
export interface Disconnection {
  readonly type: 'disconnect'
  readonly node: string
  readonly atMs: number
  readonly forMs: number
}

/** A fault of a plan. */
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
      return `${fault.node}: misses notices at ${seconds(fault.atMs)} for ${seconds(fault.forMs)}${fault.isTold ? ', and reports a gap' : ''}`
    default:
      return `${fault.node}: ${fault.type} at ${seconds(fault.atMs)} for ${seconds(fault.forMs)}`
  }
}
