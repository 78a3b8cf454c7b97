import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import type { TaskId } from '@taskledger/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Cluster } from '../src/cluster/cluster.ts'
import type { Environment } from '../src/environment/environment.ts'
import { LiveRun } from '../src/run/live.ts'
import { rowOf, viewOf } from './views.ts'

/** A terminal that remembers what was written to it. */
class FakeOutput extends EventEmitter {
  columns = 140
  rows = 40
  written = ''

  write(text: string): boolean {
    this.written += text
    return true
  }

  /** The last line of the screen with this beginning. */
  lineOf(begin: string): string {
    const lines = stripVTControlCharacters(this.written).split('\r\n')
    return lines.findLast((line) => line.startsWith(begin)) ?? ''
  }
}

class FakeInput extends PassThrough {
  readonly isTTY = true
  isRaw = false

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw
    return this
  }
}

const taskIdOf = (at: number): TaskId => `019b7a5c-2c00-7000-8000-00000000000${at}` as TaskId

/** A cluster that records its calls: three tasks, and workers that start and stop at once. */
const fakeCluster = (calls: unknown[]): Cluster => {
  const rows = ['inbox', 'sent', 'drafts'].map((name, at) => rowOf(name, { taskId: taskIdOf(at) }))
  const workers: { name: string; state: string; isHere: boolean; ready: Promise<void> }[] = []
  const add = (): unknown => {
    if (workers.length === 3) return undefined
    const worker = { name: `worker-${workers.length + 1}`, state: 'alive', isHere: true, ready: Promise.resolve() }
    workers.push(worker)
    return worker
  }
  add()
  add()
  return {
    rows,
    nodes: [],
    startedAt: 0,
    nameOf: () => '',
    submit: async (mailboxes: readonly { readonly name: string }[]) => {
      calls.push(['submit', ...mailboxes.map(({ name }) => name)])
      return [{ id: taskIdOf(2) }]
    },
    cancel: async (taskId: TaskId) => {
      calls.push(['cancel', taskId])
      return 'it is being cancelled'
    },
    pool: {
      workers,
      add: () => {
        calls.push(['add'])
        return add()
      },
      stopOne: async (worker: (typeof workers)[number]) => {
        calls.push(['stop', worker.name])
        Object.assign(worker, { state: 'gone', isHere: false })
      },
    },
  } as unknown as Cluster
}

const open = (): { output: FakeOutput; input: FakeInput; calls: unknown[]; live: LiveRun; press: (...keys: readonly string[]) => void } => {
  const [output, input, calls] = [new FakeOutput(), new FakeInput(), [] as unknown[]]
  const live = new LiveRun({
    cluster: fakeCluster(calls),
    environment: { servers: viewOf().servers } as Environment,
    mailboxes: [],
    news: () => [],
    input: input as unknown as ReadStream,
    output: output as unknown as WriteStream,
    stop: (request) => void calls.push(['end', request]),
  })
  onTestFinished(() => live.close())
  // The submit at the beginning.
  calls.length = 0
  return { output, input, calls, live, press: (...keys) => keys.forEach((key) => input.emit('data', Buffer.from(key))) }
}

const down = '\u001b[B'

describe('the keys', () => {
  it('submit the selected mailbox again, and cancel the selected task', () => {
    const { press, calls } = open()
    press('c', down, 's', 'j', 'j', 'c', 'k', 'g', 'c')
    expect(calls).toEqual([
      ['cancel', taskIdOf(0)],
      ['submit', 'sent'],
      ['cancel', taskIdOf(2)],
      ['cancel', taskIdOf(0)],
    ])
  })

  it('select a new task', async () => {
    const { press, output } = open()
    press('s')
    await vi.waitUntil(() => output.lineOf('❯').includes('drafts'))
  })

  it('stop the worker that a number selects, or else the latest, and never a worker that is gone', () => {
    const { press, calls, output } = open()
    press('x', '1', 'x', 'x')
    expect(calls).toEqual([
      ['stop', 'worker-2'],
      ['stop', 'worker-1'],
    ])
    expect(output.written).toContain('that worker is gone')
  })

  it('keep the selected worker if another one is added or a number has no worker', () => {
    const { press, calls, output } = open()
    press('1', 'a', '7', 'x', '1', 'x')
    expect(calls).toEqual([['add'], ['stop', 'worker-1'], ['stop', 'worker-3']])
    for (const said of ['worker-3 starts', 'there is no worker-7', 'worker-1 is gone']) expect(output.written).toContain(said)
  })

  it('add a worker, until there are enough', () => {
    const { press, calls, output } = open()
    press('a', 'x', 'a')
    expect(calls).toEqual([['add'], ['stop', 'worker-3'], ['add']])
    expect(output.written).toContain('one for each key')
  })

  it('request the shutdown: q, and Ctrl-C again and again; then no other key has an effect', () => {
    const { press, calls, live, output } = open()
    press('q')
    live.stopping()
    press('s', 'c', 'a', 'x', '\u0003', '\u0003')
    expect(calls).toEqual([
      ['end', 'quit'],
      ['end', 'SIGINT'],
      ['end', 'SIGINT'],
    ])
    expect(output.lineOf('Shutting down')).toContain('Ctrl-C again ends at once')
  })

  it('show their results', async () => {
    const { press, output } = open()
    press('c')
    await vi.waitUntil(() => output.written.includes('it is being cancelled'))
  })

  it('restore the terminal', () => {
    const { output, input, live } = open()
    expect(input.isRaw).toBe(true)
    live.close()
    expect([input.isRaw, input.isPaused(), output.listenerCount('resize')]).toEqual([false, true, 0])
    expect(output.written.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
  })
})
