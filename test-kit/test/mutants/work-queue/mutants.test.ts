import { notShownReasons } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import { describeMutants, everyRuleIsCaught, isShared } from '../run-mutant.ts'
import { deadLetterMutants } from './dead-letters.ts'
import { leaseMutants } from './leases.ts'
import { queueMutants } from './mutants.ts'
import { networkMutants } from './network.ts'

// Most of them wait for a deadline, so they run side by side.
describe.concurrent('mutants', () => {
  describeMutants('work queue', queueMutants)
  describeMutants('leases of a work queue', leaseMutants)
  describeMutants('dead letters of a work queue', deadLetterMutants)
  describeMutants('work queue behind a network', networkMutants)
})
everyRuleIsCaught([...queueMutants, ...leaseMutants, ...deadLetterMutants, ...networkMutants])

it('every rule can be tried on a harness with every hook', async () => {
  for (const { contract } of networkMutants) expect([...(await notShownReasons(contract))].filter(([id]) => !isShared(id))).toEqual([])
})
