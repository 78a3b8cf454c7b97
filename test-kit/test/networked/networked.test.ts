import type { EventBus, WorkQueue } from '@taskledger/core/ports'
import type { Contract } from '@taskledger/test-kit'
import { eventBusContract, runContract, workQueueContract } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import { describeMutants } from '../mutants/run-mutant.ts'
import { LineClient } from './line-client.ts'
import { lineHarness } from './line.harness.ts'
import { networkedBusMutants, networkedQueueMutants } from './networked.mutants.ts'

const deadlineMs = 10_000

const resultsOf = async <Port>(contract: Contract<Port>): Promise<readonly string[]> => {
  const { results } = await runContract(contract)
  return results.filter(({ status }) => status !== 'passed').map(({ status, message }) => `${status}: ${message}`)
}

describe('an adapter whose engine is behind a network', { timeout: 300_000 }, () => {
  it('passes every rule of the work queue, and all can be shown', async () => {
    expect(await resultsOf(workQueueContract(lineHarness<WorkQueue>(LineClient, deadlineMs)))).toEqual([])
  })

  it('passes every rule of the event bus, and all can be shown', async () => {
    expect(await resultsOf(eventBusContract(lineHarness<EventBus>(LineClient, deadlineMs)))).toEqual([])
  })
})

// They wait for what never happens, and can do it together.
describe.concurrent('mutants', () => {
  describeMutants('networked work queue', networkedQueueMutants)
  describeMutants('networked event bus', networkedBusMutants)
})
