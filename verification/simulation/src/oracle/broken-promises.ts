import { checkAnswers, checkCancelTold } from './answers.ts'
import type { Check } from './check.ts'
import { checkApart } from './apart.ts'
import { checkEnds } from './ends.ts'
import { checkHeld } from './held.ts'
import type { BrokenPromise } from './promises.ts'
import { checkRuns } from './runs.ts'
import { checkTroubles } from './troubles.ts'
import type { Observed, Stored } from './stored.ts'
import { checkUndisturbed } from './undisturbed.ts'

const checks: readonly Check[] = [
  checkEnds,
  checkAnswers,
  checkCancelTold,
  checkRuns,
  checkApart,
  checkTroubles,
  checkUndisturbed,
  checkHeld,
]

/** Finds the promises that are broken now. */
export const brokenPromises = (observed: Observed, stored: Stored): readonly BrokenPromise[] =>
  checks.flatMap((check) => [...check(observed, stored)])
