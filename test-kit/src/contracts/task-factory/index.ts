import type { JsonValue, RunnableTask, TaskFactory } from '@taskledger/core'
import { codeOf } from '@taskledger/core'
import type { Contract, Rule } from '../../framework/rule.ts'
import { outcomeOf } from '../outcome.ts'
import { failedWith, holds, same } from '../expectations.ts'

/** A payload, its stored form, and the form that the body receives. */
export interface PayloadSample {
  readonly payload: unknown
  /** What the body receives, where the schema transforms the payload. Default: the payload. */
  readonly given?: unknown
  /** The stored form when the sample was recorded: a changed encoding breaks tasks under way. */
  readonly stored?: JsonValue
}

/** A payload as an older release stored it. */
export interface OlderPayload {
  readonly version: number
  readonly stored: JsonValue
  /** What the body receives of it today. */
  readonly given?: unknown
}

/** What the author of a task type writes. */
export interface TaskFactorySamples {
  readonly factory: TaskFactory
  readonly samples: readonly PayloadSample[]
  /** At least one payload of each older version that may still be stored. */
  readonly older?: readonly OlderPayload[]
  /** Payloads that must not be submitted. */
  readonly refused?: readonly unknown[]
  /** Payloads that may be stored under the present version and must not be run: a stricter schema refuses them. */
  readonly refusedStored?: readonly JsonValue[]
  /** What the body would receive, for factories that do not expose it. */
  payloadOf?(runnable: RunnableTask): unknown
}

/** The rules of a task type: how its payloads are stored. Tasks under way outlive the release that stored them. */
export const taskFactoryContract = (samples: TaskFactorySamples): Contract<TaskFactory> => ({
  name: 'task factory',
  harness: {
    name: samples.factory.type,
    open: async () => ({ port: samples.factory, peer: async () => samples.factory }),
  },
  rules: rulesFor(samples),
})

const throughJson = (value: JsonValue): JsonValue => JSON.parse(JSON.stringify(value)) as JsonValue

const rulesFor = ({
  samples,
  older = [],
  refused = [],
  refusedStored = [],
  payloadOf,
}: TaskFactorySamples): readonly Rule<TaskFactory>[] => {
  const seenBy = payloadOf ?? ((runnable: RunnableTask): unknown => runnable.payload)
  const showsPayload = (factory: TaskFactory, runnable: RunnableTask): void => {
    holds(payloadOf !== undefined || 'payload' in runnable, `the factory of "${factory.type}" does not show the payload: give payloadOf`)
  }
  return [
    {
      id: 'TF-1.1',
      kind: 'plain',
      title: 'a payload comes back equal from its stored form',
      hint: 'a date became a string, or a field was left out of the encoding',
      notShown: () => (samples.length === 0 ? 'no sample was given' : undefined),
      run: async ({ port, observe }) => {
        for (const { payload, given = payload } of samples) {
          const stored = throughJson(await port.encode(payload))
          observe(stored)
          const runnable = await port.decode(port.version, stored)
          showsPayload(port, runnable)
          same(seenBy(runnable), given, 'the payload that the body receives')
        }
      },
    },
    {
      id: 'TF-1.2',
      kind: 'plain',
      title: 'every recorded older version can still be decoded',
      hint: 'add the upcast from that version to the next',
      notShown: ({ port }) => (port.version === 1 && older.length === 0 ? 'the type has no older version' : undefined),
      run: async ({ port, observe }) => {
        holds(older.length > 0, `version ${port.version} has older versions: give a recorded payload of each`)
        for (const { version, stored, ...rest } of older) {
          observe({ version, stored })
          const runnable = await port.decode(version, throughJson(stored))
          if (!('given' in rest)) continue
          showsPayload(port, runnable)
          same(seenBy(runnable), rest.given, `the payload that the body receives of version ${version}`)
        }
      },
    },
    {
      id: 'TF-1.3',
      kind: 'plain',
      title: 'an unknown version and a refused payload fail with a code',
      hint: 'check the version before the payload; let the schema refuse on submit and again before the run',
      run: async ({ port, observe }) => {
        const [sample] = samples
        const stored = sample === undefined ? null : await port.encode(sample.payload)
        failedWith(await outcomeOf(port.decode(port.version + 1_000, stored)), 'UNKNOWN_TASK_VERSION', 'the decoding of an unknown version')
        for (const payload of refused) {
          observe(payload)
          holds(
            /^(INVALID_PAYLOAD|NOT_JSON)$/.test(String(codeOf(await outcomeOf(port.encode(payload))))),
            'the encoding of a payload that must not be submitted',
          )
        }
        for (const payload of refusedStored) {
          observe(payload)
          failedWith(
            await outcomeOf(port.decode(port.version, payload)),
            'INVALID_PAYLOAD',
            'the decoding of a stored payload that must not be run',
          )
        }
      },
    },
    {
      id: 'TF-1.4',
      kind: 'plain',
      title: 'the stored form of a payload is the recorded one',
      hint: 'a changed encoding needs a new version, and an upcast from the old one',
      notShown: () => (samples.some(({ stored }) => stored !== undefined) ? undefined : 'no sample has a recorded encoding'),
      run: async ({ port }) => {
        for (const { payload, stored } of samples)
          if (stored !== undefined)
            same(throughJson(await port.encode(payload)), stored, 'the stored form of a payload, beside the recorded one')
      },
    },
  ]
}
