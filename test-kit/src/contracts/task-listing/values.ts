import type { JsonValue, TaskDetails, TaskListing } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
import { awkwardValues } from '../sample-data.ts'
import { listedBy, unfinishedOf } from './reading.ts'
import { detailsWith, leapDay } from './sample-details.ts'

const kibi = 1024

const values: readonly JsonValue[] = [
  ...Object.values(awkwardValues),
  false,
  0,
  [],
  { 'a.b': 2, ключ: 3, constructor: 4 },
  JSON.parse('{ "__proto__": { "polluted": true } }') as JsonValue,
  'עברית, 👩‍👩‍👧‍👦, a "quote", a \\ backslash, \u007f',
]

/** Details whose fields a careless caller can change. */
const spoil = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return
  for (const [key, part] of Object.entries(value)) {
    spoil(part)
    ;(value as Record<string, unknown>)[key] = typeof part === 'object' && part !== null ? part : 'spoilt'
  }
  if (Array.isArray(value)) value.push('spoilt')
}

const fullDetails = (random: () => number): TaskDetails =>
  detailsWith(random, {
    status: 'inProgress',
    version: 2,
    attempt: 1,
    labels: ['red', 'bleu céleste'],
    error: { name: 'Error', message: 'no such mailbox', code: 'ENOENT' },
    result: { messages: [1, 2, 3] },
  })

export const valueRules: readonly Rule<TaskListing>[] = [
  {
    id: 'TL-6.1',
    kind: 'plain',
    title: 'details and progress come back equal: unicode, nested, empty and large values',
    hint: 'store them as JSON text in UTF-8 (the codec of core does it), and check the limits of the column',
    run: async ({ port, peer, random }) => {
      const other = await peer()
      const large = 'ü€💥x'.repeat((250 * kibi) / 10)
      for (const [index, value] of [...values, large, { text: large }].entries()) {
        const text = typeof value === 'string' && value !== '' ? value.slice(0, 10_000) : 'text'
        const details = detailsWith(random, {
          status: 'inProgress',
          version: 2,
          attempt: 1,
          createdAt: leapDay - index,
          labels: [text.slice(0, 100), 'ascii', ''],
          error: { name: 'Error', message: text, stack: text },
          cancelReason: text,
          result: value,
        })
        const progress = {
          attempt: 1,
          sequence: 1,
          at: leapDay,
          value: JSON.stringify(value).length > 64 * kibi ? large.slice(0, 64 * kibi) : value,
        }
        await port.save(details)
        await port.saveProgress(details, progress)
        const row = { ...details, progress }
        same(await other.progress(details), progress, `the saved progress with value ${index + 1}`)
        same((await other.list({ until: details.createdAt + 1 }, { limit: 1 })).tasks, [row], `the list with value ${index + 1}`)
        same(await unfinishedOf(other), [row], `the unfinished tasks with value ${index + 1}`)
        await port.remove(details)
      }
    },
  },
  {
    id: 'TL-6.2',
    kind: 'plain',
    title: 'a caller that changes its objects does not change the stored data',
    hint: 'copy on the way in and on the way out',
    run: async ({ port, random }) => {
      const details = fullDetails(random)
      const progress = { attempt: 1, sequence: 1, at: leapDay, value: { done: [1] } }
      const expected = structuredClone({ ...details, progress })
      const [given, report] = structuredClone([details, progress] as const)
      await port.save(given)
      await port.saveProgress(details, report)
      spoil(given)
      spoil(report)
      spoil((await port.list({}, { limit: 1 })).tasks)
      spoil(await unfinishedOf(port))
      spoil(await port.progress(details))
      same(await listedBy(port), [expected], 'the list after the caller changed its objects')
      same(await unfinishedOf(port), [expected], 'the unfinished tasks after the caller changed its objects')
      same(await port.progress(details), expected.progress, 'the saved progress after the caller changed its objects')
    },
  },
]
