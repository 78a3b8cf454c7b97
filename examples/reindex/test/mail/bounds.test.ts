import { expect, it } from 'vitest'
import { bounded } from '../../src/mail/bounds.ts'

const base64 = `${'A'.repeat(76)}\n`

it.each([
  ['a novel', 'Subject: x\n\n' + 'a line of some fifty characters, as a novel has it\n'.repeat(40_000)],
  ['the largest attachment', 'Subject: x\n\n' + base64.repeat(430_000)],
  ['a large patch', 'Subject: x\n\n' + '--- a/file\n+++ b/file\n'.repeat(9_000)],
])('%s is left as it is', (_, text) => {
  const message = Buffer.from(text)
  const { message: kept, defect } = bounded(message)
  expect(kept).toBe(message)
  expect(defect).toBeUndefined()
})

it.each([
  ['500000 lines', base64, 500_001],
  ['50000 short lines', 'short\n', 50_001],
  ['10000 parts', '--boundary, or what may be one, of some length\n', 10_001],
])('a message is cut after %s', (most, line, count) => {
  const { message, defect } = bounded(Buffer.from(line.repeat(count + 5)))
  expect(message.length).toBe(line.length * count)
  expect(defect).toBe(`it has more than ${most}: only these were read`)
})
