import type { Logger } from '@taskledger/core'
import { defineTask } from '@taskledger/core'
import { createMemory } from '@taskledger/memory'
import { testManager, virtualClock } from '@taskledger/core/testing'
import { describe, expect, it } from 'vitest'

interface Line {
  readonly level: keyof Logger
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A logger that keeps its lines, without those of level debug. */
const keptLines = (): { readonly logger: Logger; readonly lines: Line[] } => {
  const lines: Line[] = []
  const keep = (level: keyof Logger) => (fields: object, message: string) => void lines.push({ level, message, fields: { ...fields } })
  return { lines, logger: { debug: () => {}, info: keep('info'), warn: keep('warn'), error: keep('error') } }
}

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

describe('the log has one line for an attempt that', () => {
  it('fails and is retried, and one when the last one fails', async () => {
    const { logger, lines } = keptLines()
    const failing = defineTask({
      type: 'failing',
      retry: { maxAttempts: 2 },
      run: ({ attempt }) => {
        throw Object.assign(new RangeError(`no space left for ${attempt}`), { code: 'ENOSPC' })
      },
    })
    await using test = await testManager({ tasks: [failing], logger })
    const { id } = await test.manager.submit(failing)
    await test.settled()
    const about = { taskId: id, type: 'failing', node: test.manager.nodeId }
    expect(lines.filter(({ fields }) => 'attempt' in fields)).toMatchObject([
      {
        level: 'warn',
        message: 'failed an attempt: the task runs again',
        fields: { ...about, attempt: 1, retryAt: expect.any(Number) as number },
      },
      { level: 'error', message: 'failed a task: it does not run again', fields: { ...about, attempt: 2 } },
    ])
    const { err } = (lines.at(-1) as Line).fields as { err: Error & { code: string } }
    expect(err).toBeInstanceOf(Error)
    expect([err.name, err.message, err.code, err.stack?.includes('ended-attempts.test.ts')]).toEqual([
      'RangeError',
      'no space left for 2',
      'ENOSPC',
      true,
    ])
  })

  it('throws something that no logger can print', async () => {
    const { logger, lines } = keptLines()
    const odd = defineTask({
      type: 'odd',
      run: () => {
        throw new Proxy(
          {},
          {
            get: () => {
              throw new Error('read on purpose')
            },
          },
        )
      },
    })
    await using test = await testManager({ tasks: [odd], logger })
    await test.manager.submit(odd)
    await test.settled()
    expect(lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual(['failed a task: it does not run again'])
  })

  it('is abandoned', async () => {
    const { logger, lines } = keptLines()
    const deaf = defineTask({ type: 'deaf', run: () => new Promise(() => {}) })
    await using test = await testManager({ tasks: [deaf], logger, worker: { cancelGraceMs: 1_000 } })
    const handle = await test.manager.submit(deaf)
    await test.advance(0)
    await handle.cancel()
    await test.settled()
    expect(lines.filter(({ fields }) => 'attempt' in fields)).toMatchObject([
      {
        level: 'warn',
        message: 'abandoned a body that ignored its cancellation: it may still run',
        fields: { taskId: handle.id, type: 'deaf', attempt: 1 },
      },
    ])
  })

  it('is aborted because its node closes', async () => {
    const { logger, lines } = keptLines()
    const long = defineTask({ type: 'long', run: ({ signal }) => untilAborted(signal) })
    const test = await testManager({ tasks: [long], logger })
    const { id } = await test.manager.submit(long)
    await test.advance(0)
    await test[Symbol.asyncDispose]()
    expect(lines.filter(({ fields }) => 'attempt' in fields)).toMatchObject([
      {
        level: 'info',
        message: 'released a task: another node may run it',
        fields: { taskId: id, type: 'long', attempt: 1, why: 'SHUTTING_DOWN' },
      },
    ])
  })

  it('completes or is cancelled as requested: none', async () => {
    const { logger, lines } = keptLines()
    const quick = defineTask({ type: 'quick', run: () => 'done' })
    const long = defineTask({ type: 'long', run: ({ signal }) => untilAborted(signal) })
    await using test = await testManager({ tasks: [quick, long], logger })
    await test.manager.submit(quick)
    const handle = await test.manager.submit(long)
    await test.advance(0)
    await handle.cancel()
    await test.settled()
    expect(lines.filter(({ fields }) => 'attempt' in fields)).toEqual([])
  })
})

describe('a task that no worker can decode', () => {
  it('leaves one line for all its releases, and one when it fails', async () => {
    const clock = virtualClock()
    const memory = createMemory({ clock })
    const { logger, lines } = keptLines()
    const unknown = defineTask({ type: 'unknown', version: 3, queue: 'shared', run: () => {} })
    const known = defineTask({ type: 'known', queue: 'shared', run: () => {} })
    const open = { clock, storage: memory.storage(), messaging: memory.messaging() }
    await using front = await testManager({ tasks: [unknown], worker: false, ...open })
    await using worker = await testManager({ tasks: [known], logger, clock, storage: memory.storage(), messaging: memory.messaging() })
    const handle = await front.manager.submit(unknown)
    await front.settled()
    const about = { taskId: handle.id, type: 'unknown', version: 3, node: worker.manager.nodeId }
    expect(lines.filter(({ level }) => level === 'warn' || level === 'error')).toMatchObject([
      { level: 'warn', message: 'released a task that cannot run here', fields: { ...about, releases: 0 } },
      { level: 'error', message: 'failed a task: no worker could decode it', fields: { ...about, releases: 20 } },
    ])
    expect(await handle.details()).toMatchObject({ status: 'failed' })
  })
})
