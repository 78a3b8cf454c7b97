import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createMemory } from '@taskledger/memory'
import { expect, test } from 'vitest'
import { actualCapabilities, statedCapabilities } from '../../../tools/readme-capabilities.ts'

test('the README states the capabilities of the ports', async () => {
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8')
  const memory = createMemory()
  const { events, listing, nodes } = memory.storage()
  const { queue, bus } = memory.messaging()
  expect(statedCapabilities(readme)).toEqual(actualCapabilities([events, listing, nodes, queue, bus]))
})
