import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EventStore } from '@taskledger/core/ports'
import type { Contract } from '@taskledger/test-kit'
import { runContract } from '@taskledger/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { programsOf } from '../../tools/fences.ts'

const docs = join(import.meta.dirname, '..')

test('the event store of the guide for authors of adapters passes its contract', async () => {
  const [program = ''] = programsOf(await readFile(join(docs, 'guides/writing-an-adapter.md'), 'utf8'))
  await mkdir(join(docs, '.code'), { recursive: true })
  // In docs, whose package.json says which packages the pages may use.
  const folder = await mkdtemp(join(docs, '.code/'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'adapter.ts')
  await writeFile(file, program)

  const { contract } = (await import(file)) as { readonly contract: Contract<EventStore> }
  const { results } = await runContract(contract)
  expect(results.filter(({ status }) => status !== 'passed' && status !== 'not shown')).toEqual([])
  // What needs faults, or a password, that the guide's harness does not have.
  const notShown = results.filter(({ status }) => status === 'not shown').map(({ id }) => id)
  expect(notShown.filter((id) => !/-(T|F)\./.test(id))).toEqual(['ES-3.2', 'ES-3.3', 'ES-3.5'])
  expect(notShown.filter((id) => id.includes('-T.'))).toEqual(['ES-T.4', 'ES-T.6', 'ES-T.8'])
}, 60_000)
