import type { TaskFactory } from '@taskledger/core'
import { defineTask, unchecked } from '@taskledger/core'
import type { RuleResult, TaskFactorySamples } from '@taskledger/test-kit'
import { runContract, taskFactoryContract } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'

const greet = defineTask({
  type: 'greet',
  version: 2,
  payload: unchecked<{ name: string }>(),
  upcast: { 1: (old) => ({ name: old }) },
  run: ({ payload }) => `Hello, ${payload.name}`,
})

const samples: TaskFactorySamples = {
  factory: greet,
  samples: [{ payload: { name: 'Ada' }, stored: { name: 'Ada' } }],
  older: [{ version: 1, stored: 'Ada', given: { name: 'Ada' } }],
  refused: [{ name: 1n }],
}

const run = async (given: TaskFactorySamples): Promise<Record<string, RuleResult>> => {
  const { results } = await runContract(taskFactoryContract(given))
  return Object.fromEntries(results.map((result) => [result.id, result]))
}

describe('the contract of task factories', () => {
  it('holds for tasks of defineTask', async () => {
    const results = Object.values(await run(samples))
    expect(results.map(({ id, status }) => `${id} ${status}`)).toEqual(['TF-1.1 passed', 'TF-1.2 passed', 'TF-1.3 passed', 'TF-1.4 passed'])
  })

  it('needs payloadOf where the factory does not expose the payload', async () => {
    const payloads = new WeakMap<object, unknown>()
    const factory: TaskFactory = {
      ...greet,
      async decode(version, stored) {
        const { payload, run } = await greet.decode(version, stored)
        const runnable = { run }
        payloads.set(runnable, payload)
        return runnable
      },
    }
    const blind = await run({ ...samples, factory })
    expect(blind['TF-1.1']).toMatchObject({ status: 'failed', message: expect.stringContaining('give payloadOf') as string })
    const statuses = await run({ ...samples, factory, payloadOf: (runnable) => payloads.get(runnable) })
    expect(statuses['TF-1.1']?.status).toBe('passed')
    expect(statuses['TF-1.2']?.status).toBe('passed')
  })

  it('says which rules cannot be tried without samples', async () => {
    const results = await run({ factory: defineTask({ type: 'bare', run: () => {} }), samples: [] })
    expect(
      Object.values(results).map(({ id, status, message }) => `${id} ${status}${message === undefined ? '' : `: ${message}`}`),
    ).toEqual([
      'TF-1.1 not shown: no sample was given',
      'TF-1.2 not shown: the type has no older version',
      'TF-1.3 passed',
      'TF-1.4 not shown: no sample has a recorded encoding',
    ])
  })

  it('needs a recorded payload where there are older versions', async () => {
    expect((await run({ ...samples, older: [] }))['TF-1.2']).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('give a recorded payload of each') as string,
    })
  })
})
