import type { TaskNotice, TaskId } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { expect, test, vi } from 'vitest'
import { batchesOf, lineOf, noticesOf } from '../../src/bus/notice-batches.ts'

const notice = (version: number, node = 'worker'): TaskNotice => ({
  taskId: '018f0000-0000-7000-8000-000000000001' as TaskId,
  version,
  type: 'TaskStarted',
  status: 'inProgress',
  node,
})

test('notices are joined into one message and keep their order', () => {
  const notices = [1, 2, 3].map((version) => notice(version))
  const batches = batchesOf(notices.map(lineOf))
  expect(batches).toHaveLength(1)
  expect(batches.flatMap((batch) => noticesOf(batch, silentLogger))).toEqual(notices)
})

test('many notices are split into messages of at most the batch size', () => {
  const notices = Array.from({ length: 2_000 }, (_, version) => notice(version, 'x'.repeat(200)))
  const batches = batchesOf(notices.map(lineOf))
  expect(batches.length).toBeGreaterThan(2)
  for (const { length } of batches) expect(length).toBeLessThanOrEqual(128 * 1024)
  expect(batches.flatMap((batch) => noticesOf(batch, silentLogger))).toEqual(notices)
})

test('an empty list makes no message', () => {
  expect(batchesOf([])).toEqual([])
})

test('lines that cannot be decoded are skipped, and logged once per message', () => {
  const warn = vi.fn<(fields: object, message: string) => void>()
  const content = Buffer.concat([lineOf(notice(1)), Buffer.from('{"foreign":true}\n\nnot JSON\n'), lineOf(notice(2))])
  expect(noticesOf(content, { ...silentLogger, warn }).map(({ version }) => version)).toEqual([1, 2])
  expect(warn).toHaveBeenCalledTimes(1)
  expect(warn.mock.calls[0]?.[0]).toMatchObject({ skipped: 2 })
})

test('a message of foreign lines is not read to its end', () => {
  const warn = vi.fn<(fields: object, message: string) => void>()
  expect(noticesOf(Buffer.from('x\n'.repeat(500_000)), { ...silentLogger, warn })).toEqual([])
  expect(warn.mock.calls[0]?.[0]).toMatchObject({ skipped: 20 })
})
