import type { EngineAddresses } from '../engines.ts'
import type { Role } from '../plan.ts'
import type { ChaosSettings } from '../settings.ts'

/** What a process is told first. */
export interface Orders {
  readonly role: Role
  /** The name of this process, of this start. */
  readonly process: string
  readonly engines: EngineAddresses
  readonly settings: ChaosSettings
}

/** What a process is told later. `follow`: await this task, and wish its end after a while. `enough`: submit nothing new. */
export type Word = { readonly type: 'follow'; readonly taskId: string; readonly cancelAfterMs?: number } | { readonly type: 'enough' }

/** What a process says. `busy`: how much it waits for, and how many tasks it was told to follow so far. */
export type Answer =
  | { readonly type: 'ready' }
  | { readonly type: 'neverBegan'; readonly why: string }
  | { readonly type: 'acknowledged'; readonly taskId: string }
  | { readonly type: 'busy'; readonly waitsFor: number; readonly followed: number }
