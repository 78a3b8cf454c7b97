import { describe } from 'vitest'
import { networkedQueueMutants } from '../networked/networked.mutants.ts'
import { describeMutants, everyRuleIsCaught } from './run-mutant.ts'
import { queueMutants } from './work-queue.mutants.ts'

// They wait for what never happens, and can do it together.
describe.concurrent('mutants', () => {
  describeMutants('work queue', queueMutants)
})
everyRuleIsCaught([...queueMutants, ...networkedQueueMutants])
