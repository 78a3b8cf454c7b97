import { setTimeout as sleep } from 'node:timers/promises'
import { openEnvironment } from './environment/environment.ts'
import { FaultInjector } from './environment/fault-injector.ts'
import { messagesLeft, openObserver, recordState, settled } from './environment/observer.ts'
import { ProcessPool } from './environment/process-pool.ts'
import { evidenceWriter, readEvidence } from './evidence/files.ts'
import type { PlannedFault } from './plan/faults.ts'
import type { ChaosSettings } from './settings.ts'
import { check } from './verdict/check.ts'
import type { Verdict } from './verdict/verdict.ts'

export interface ChaosRun {
  readonly settings: ChaosSettings
  readonly plan: readonly PlannedFault[]
  readonly isRing: boolean
  readonly say: (line: string) => void
  /** Ends the run at once. Only the evidence so far stays. */
  readonly signal: AbortSignal
}

/** How long all processes may take to start, in milliseconds. */
const startMs = 120_000

/** Injects the faults of the plan into a cluster under load, waits until the system is at rest, and judges the evidence. */
export const chaosRun = async ({ settings, plan, isRing, say, signal }: ChaosRun): Promise<Verdict> => {
  await using environment = await openEnvironment({ say, isRing })
  const note = evidenceWriter(settings.folder, 'faults', 'parent')
  await using processes = new ProcessPool({ environment, settings, note })
  const startedBy = performance.now() + startMs
  while (!processes.isComplete) {
    if (performance.now() > startedBy)
      throw new Error(`not all processes started within ${startMs / 1000} s: see their logs in ${settings.folder}`)
    await sleep(100, undefined, { signal })
  }
  const startedAt = performance.now()
  const elapsed = (): string => ((performance.now() - startedAt) / 1000).toFixed(1).padStart(7)
  await using injector = new FaultInjector({ environment, processes, note, say: (line) => say(`${elapsed()} s  ${line}`) })
  for (const { atMs, fault } of plan) {
    await sleep(Math.max(0, startedAt + atMs - performance.now()), undefined, { signal })
    injector.injectFault(fault)
  }
  await sleep(Math.max(0, startedAt + settings.forMs - performance.now()), undefined, { signal })
  say(`${elapsed()} s  the faults are over: the system has ${settings.settleMs / 1000} s to come to rest`)
  processes.endSubmitting()
  await injector.heal()
  await using observer = await openObserver(environment, settings)
  const rest = await settled(observer, () => processes.isIdle && processes.isComplete, settings.settleMs)
  const messages = await messagesLeft(environment)
  say(`${elapsed()} s  the system is ${rest.isSettled ? 'at rest' : 'not at rest'}: reading the histories`)
  await recordState(observer, settings, { ...rest, messages })
  await processes.close()
  return check(readEvidence(settings.folder))
}
