import type { EngineAddresses } from '../environment/engines.ts'
import type { Role } from '../plan/places.ts'
import type { ChaosSettings } from '../settings.ts'

/** The first message to a process. */
export interface ProcessOptions {
  readonly role: Role
  /** The name of this start of this process. */
  readonly process: string
  readonly engines: EngineAddresses
  readonly settings: ChaosSettings
}

/** A later message to a process. `follow`: await the task, and cancel it after a while. `endSubmitting`: submit nothing new. */
export type ToChild =
  | { readonly type: 'follow'; readonly taskId: string; readonly cancelAfterMs?: number }
  | { readonly type: 'endSubmitting' }

/** A message from a process. `busy`: how many answers it waits for, and how many `follow` messages it has received. */
export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'neverStarted'; readonly why: string }
  | { readonly type: 'acknowledged'; readonly taskId: string }
  | { readonly type: 'busy'; readonly waitsFor: number; readonly followed: number }
