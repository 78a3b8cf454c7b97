import { readFileSync } from 'node:fs'
import type { Harness } from '@taskledger/test-kit'
import * as kit from '@taskledger/test-kit'
import { expect, it } from 'vitest'

const page = readFileSync(new URL('../../../docs/compatibility.md', import.meta.url), 'utf8')

const harness: Harness<never> = { name: 'none', open: () => Promise.reject(new Error('never opened')) }
const contracts = [
  kit.eventStoreContract(harness),
  kit.taskListingContract(harness),
  kit.nodeRegistryContract(harness),
  kit.workQueueContract(harness),
  kit.eventBusContract(harness),
  kit.taskManagerContract(harness),
]

it.each(contracts)('the compatibility page has every rule of the $name: npm run compatibility rewrites it', ({ rules }) => {
  expect(rules.map(({ id }) => id).filter((id) => !page.includes(`| ${id} |`))).toEqual([])
})
