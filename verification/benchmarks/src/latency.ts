import { performance } from 'node:perf_hooks'
import { defineTask } from '@taskledger/core'
import { openCluster } from './cluster.ts'
import type { Figure } from './figures.ts'
import { quantile } from './figures.ts'

const noop = defineTask({ type: 'noop', run: () => {} })

const quantiles = (name: string, samples: readonly number[]): readonly Figure[] => [
  { name: `${name}, p50`, value: quantile(samples, 0.5), unit: 'ms' },
  { name: `${name}, p99`, value: quantile(samples, 0.99), unit: 'ms' },
]

/** Submit to awaited result on an idle cluster, one after the other. */
export const submitToResult = async (count: number): Promise<readonly Figure[]> => {
  const cluster = await openCluster([noop], 10)
  try {
    const samples: number[] = []
    for (let index = -count / 5; index < count; index++) {
      const startedAt = performance.now()
      await (await cluster.frontEnd.submit(noop)).result()
      if (index >= 0) samples.push(performance.now() - startedAt)
    }
    return quantiles('idle submit to result', samples)
  } finally {
    await cluster.close()
  }
}

/** Cancel on the front-end to the aborted signal of the body on a worker. */
export const cancelToSignal = async (count: number): Promise<readonly Figure[]> => {
  let started = Promise.withResolvers<void>()
  let aborted = Promise.withResolvers<number>()
  const hang = defineTask({
    type: 'hang',
    async run({ signal }) {
      started.resolve()
      await new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.resolve(performance.now())
          reject(signal.reason as Error)
        })
      })
    },
  })
  const cluster = await openCluster([hang], 10)
  try {
    const samples: number[] = []
    for (let index = -count / 5; index < count; index++) {
      started = Promise.withResolvers()
      aborted = Promise.withResolvers()
      const task = await cluster.frontEnd.submit(hang)
      await started.promise
      const cancelledAt = performance.now()
      await task.cancel()
      if (index >= 0) samples.push((await aborted.promise) - cancelledAt)
      await task.finished()
    }
    return quantiles('cancel to signal elsewhere', samples)
  } finally {
    await cluster.close()
  }
}
