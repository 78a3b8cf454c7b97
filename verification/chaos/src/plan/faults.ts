import type { Engine, Place } from './places.ts'

/** SIGKILL or SIGTERM; the next process of the place starts after `forMs`. */
interface EndProcess {
  readonly type: 'kill' | 'stop'
  readonly place: Place
  readonly forMs: number
}

/** SIGSTOP, and SIGCONT later. */
interface Freeze {
  readonly type: 'freeze'
  readonly place: Place
  readonly forMs: number
}

/** Resets the connections between processes and an engine. */
interface Cut {
  readonly type: 'cut'
  readonly places: readonly Place[]
  readonly engine: Engine
  readonly forMs: 0
}

/** Disturbs the network between processes and an engine for a while. */
interface NetworkFault {
  readonly type: 'stall' | 'loseReplies' | 'refuse'
  readonly places: readonly Place[]
  readonly engine: Engine
  readonly forMs: number
}

/** SIGKILL of an engine and a start after `forMs`, or SIGSTOP and SIGCONT. */
export interface EngineFault {
  readonly type: 'outage' | 'pause'
  readonly engine: Engine
  /** The index of the node in the engine. */
  readonly node: number
  readonly forMs: number
}

/** Deletes the work queue, as an administrator might. */
export interface DeleteQueue {
  readonly type: 'deleteQueue'
  readonly engine: 'rabbitmq'
  readonly node: 0
  readonly forMs: number
}

export type Fault = EndProcess | Freeze | Cut | NetworkFault | EngineFault | DeleteQueue

export interface PlannedFault {
  /** After the start of the run, in milliseconds. */
  readonly atMs: number
  readonly fault: Fault
}

/** A fault in words. */
export const describeFault = (fault: Fault): string => {
  const seconds = `${(fault.forMs / 1000).toFixed(1)} s`
  switch (fault.type) {
    case 'kill':
    case 'stop':
      return `${fault.type} ${fault.place}`
    case 'freeze':
      return `freeze ${fault.place} for ${seconds}`
    case 'cut':
      return `cut ${fault.places.join(', ')} from ${fault.engine}`
    case 'stall':
    case 'loseReplies':
    case 'refuse':
      return `${fault.type} between ${fault.places.join(', ')} and ${fault.engine} for ${seconds}`
    case 'outage':
    case 'pause':
      return `${fault.type} of ${fault.engine}, node ${fault.node + 1}, for ${seconds}`
    case 'deleteQueue':
      return 'delete the work queue'
  }
}
