import type { TaskNotice } from '@taskledger/core'
import { describe, expect, it } from 'vitest'
import type { Cluster } from '../src/cluster/cluster.ts'
import { Correctable } from '../src/errors.ts'
import { plainRun } from '../src/run/plain.ts'

interface FakeWorker {
  readonly name: string
  readonly state: string
  readonly nodeId: string
}

const workers = ['worker-1', 'worker-2'].map((name): FakeWorker => ({ name, state: 'alive', nodeId: name }))

/** A cluster whose one task completes once a worker was exchanged. */
const fakeCluster = (options: { readonly workers: readonly FakeWorker[]; readonly added?: Promise<void> }, calls: string[]): Cluster => {
  const exchanged = Promise.withResolvers<void>()
  const handle = {
    id: 'task-1',
    async *watch() {
      yield { status: 'inProgress', progress: {} }
    },
    cancel: async () => ({ outcome: 'requested' }),
    finished: async () => {
      if (options.workers.length > 0) await exchanged.promise
      calls.push('finished')
    },
  }
  return {
    submit: async () => [handle],
    mailboxOf: () => ({ name: 'club.mbox' }),
    manager: { subscribe: (_listener: (notice: TaskNotice) => void) => () => {} },
    watch: { runningOn: (nodeId: string) => (nodeId === 'worker-2' ? 2 : 1) },
    pool: {
      workers: options.workers,
      stopOne: async ({ name }: FakeWorker) => {
        calls.push(`stop ${name}`)
        exchanged.resolve()
      },
      add: () => {
        calls.push('add')
        return { ready: options.added ?? Promise.resolve() }
      },
    },
  } as unknown as Cluster
}

const run = async (
  options: Parameters<typeof fakeCluster>[0],
): Promise<{ readonly calls: readonly string[]; readonly lines: readonly string[] }> => {
  const [calls, lines]: [string[], string[]] = [[], []]
  const { signal } = new AbortController()
  await plainRun({ cluster: fakeCluster(options, calls), mailboxes: [], say: (line) => lines.push(line), silenceMs: 60_000, signal })
  return { calls, lines }
}

describe('a plain run', () => {
  it('stops the busiest worker, adds another one, and waits for the ends', async () => {
    const { calls, lines } = await run({ workers })
    expect(calls).toEqual(['stop worker-2', 'add', 'finished'])
    expect(lines).toContain('stopping worker-2 in order, and adding another worker')
  })

  it('goes on if the added worker is killed before it is ready', async () => {
    const killed = Promise.reject(new Correctable('worker-3 ended before it was ready: SIGKILL'))
    killed.catch(() => {})
    const { calls } = await run({ workers, added: killed })
    expect(calls).toEqual(['stop worker-2', 'add', 'finished'])
  })

  it('goes on if no worker is left to be exchanged', async () => {
    const { calls, lines } = await run({ workers: [] })
    expect(calls).toEqual(['finished'])
    expect(lines).toContain('no worker is left')
  })
})
