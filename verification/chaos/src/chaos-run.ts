import { setTimeout as sleep } from 'node:timers/promises'
import { Cast } from './cast.ts'
import type { Verdict } from './check.ts'
import { check, readEvidence } from './check.ts'
import { witness } from './evidence.ts'
import { prepareGround } from './ground.ts'
import type { PlannedFault } from './plan.ts'
import { messagesLeft, openObserver, settled, writeDown } from './settle.ts'
import type { ChaosSettings } from './settings.ts'
import { Striker } from './strike.ts'

export interface ChaosRun {
  readonly settings: ChaosSettings
  readonly plan: readonly PlannedFault[]
  readonly isRing: boolean
  readonly say: (line: string) => void
  /** Ends the run at once, with nothing left behind but the evidence so far. */
  readonly signal: AbortSignal
}

/** How long all may take to be there in the beginning, in milliseconds. */
const beginMs = 120_000

/** Lets the faults of the plan strike a cluster under load, then lets it come to rest, and judges what was noted meanwhile. */
export const chaosRun = async ({ settings, plan, isRing, say, signal }: ChaosRun): Promise<Verdict> => {
  await using ground = await prepareGround({ say, isRing })
  const note = witness(settings.folder, 'faults', 'parent')
  await using cast = new Cast(ground, settings, note)
  const begunBy = performance.now() + beginMs
  while (!cast.isComplete) {
    if (performance.now() > begunBy) throw new Error(`not all processes began; their logs are in ${settings.folder}`)
    await sleep(100, undefined, { signal })
  }
  const startedAt = performance.now()
  const elapsed = (): string => ((performance.now() - startedAt) / 1000).toFixed(1).padStart(7)
  await using striker = new Striker(ground, cast, note, (line) => say(`${elapsed()} s  ${line}`))
  for (const { atMs, fault } of plan) {
    await sleep(Math.max(0, startedAt + atMs - performance.now()), undefined, { signal })
    striker.strike(fault)
  }
  await sleep(Math.max(0, startedAt + settings.forMs - performance.now()), undefined, { signal })
  say(`${elapsed()} s  the faults are over: all has to come to rest within ${settings.settleMs / 1000} s`)
  cast.enough()
  await striker.calm()
  await using observer = await openObserver(ground, settings)
  const rest = await settled(observer, () => cast.isIdle && cast.isComplete, settings.settleMs)
  const messages = await messagesLeft(ground)
  say(`${elapsed()} s  ${rest.isSettled ? 'all is at rest' : 'not all is at rest'}; the histories are read`)
  await writeDown(observer, settings, { ...rest, messages })
  await cast.close()
  return check(readEvidence(settings.folder))
}
