import type { JsonValue, RunnableTask, TaskFactory } from '@taskledger/core'
import { defaultRetryPolicy, TaskledgerError } from '@taskledger/core'
import { taskFactoryContract } from '@taskledger/test-kit'
import type { Mutant } from '../run-mutant.ts'
import { describeMutants, everyRuleIsCaught } from '../run-mutant.ts'

interface Visit {
  readonly mailbox: string
  readonly at: Date
}

/** Version 1 has only the name, and the time in seconds. */
interface Stored {
  readonly mailbox?: string
  readonly at?: string
  readonly name?: string
  readonly second?: number
}

const invalid = (): TaskledgerError => new TaskledgerError('INVALID_PAYLOAD', 'a visit has a mailbox and a time')

const isVisit = (payload: unknown): payload is Visit =>
  typeof payload === 'object' &&
  payload !== null &&
  'mailbox' in payload &&
  payload.mailbox !== '' &&
  'at' in payload &&
  payload.at instanceof Date &&
  !Number.isNaN(payload.at.getTime())

const runnableOf = (visit: Visit): RunnableTask => ({ payload: visit, run: async () => visit.mailbox })

const decode = async (version: number, stored: JsonValue): Promise<RunnableTask> => {
  if (version !== 1 && version !== 2) throw new TaskledgerError('UNKNOWN_TASK_VERSION', `version ${version} is not known`)
  const { mailbox = '', at = '', name = '', second = 0 } = stored as Stored
  const visit = version === 1 ? { mailbox: name, at: new Date(second * 1_000) } : { mailbox, at: new Date(at) }
  if (!isVisit(visit)) throw invalid()
  return runnableOf(visit)
}

const encode = async (payload: unknown): Promise<JsonValue> => {
  if (!isVisit(payload)) throw invalid()
  return { mailbox: payload.mailbox, at: payload.at.toISOString() }
}

const whole: TaskFactory = { type: 'visit', version: 2, queue: 'default', retry: defaultRetryPolicy, encode, decode }

const visit: Visit = { mailbox: 'inbox', at: new Date('2024-02-29T12:00:00Z') }

const mutant = (name: string, fails: readonly string[], deviation: Partial<TaskFactory>): Mutant<TaskFactory> => ({
  name,
  fails,
  contract: taskFactoryContract({
    factory: { ...whole, ...deviation },
    samples: [{ payload: visit, stored: { mailbox: 'inbox', at: '2024-02-29T12:00:00.000Z' } }],
    older: [{ version: 1, stored: { name: 'inbox', second: 1_709_208_000 }, given: visit }],
    refused: [undefined, { mailbox: '', at: new Date(0) }],
    refusedStored: [{ mailbox: '', at: '2024-02-29T12:00:00.000Z' }],
  }),
})

/** A factory that does not expose the payload of the body. */
const silent: Partial<TaskFactory> = {
  async decode(version, stored) {
    const { run } = await decode(version, stored)
    return { run }
  },
}

const mutants: readonly Mutant<TaskFactory>[] = [
  mutant('is right: the base of the mutants', [], {}),
  mutant('does not expose what the body receives', ['TF-1.1', 'TF-1.2'], silent),
  mutant('gives the body a string for a date', ['TF-1.1'], {
    decode: async (version, stored) => ({ ...(await decode(version, stored)), ...(version === 2 ? { payload: stored } : {}) }),
  }),
  mutant('reads an older version as if it were its own', ['TF-1.2'], {
    decode: (version, stored) => decode(version === 1 ? 2 : version, stored),
  }),
  mutant('does not know the older version', ['TF-1.2'], {
    async decode(version, stored) {
      if (version === 1) throw new TaskledgerError('UNKNOWN_TASK_VERSION', 'version 1 is not known')
      return decode(version, stored)
    },
  }),
  mutant('reads every newer version as its own', ['TF-1.3'], { decode: (version, stored) => decode(Math.min(version, 2), stored) }),
  mutant('stores a payload that it should refuse', ['TF-1.3'], { encode: async (payload) => (isVisit(payload) ? encode(payload) : null) }),
  mutant('refuses without a code', ['TF-1.3'], {
    async encode(payload) {
      if (!isVisit(payload)) throw new Error('no visit')
      return encode(payload)
    },
  }),
  mutant('checks nothing before the run', ['TF-1.3'], {
    decode: (version, stored) => decode(version, version === 2 ? { ...(stored as object), mailbox: 'inbox' } : stored),
  }),
  mutant('stores another form under the same version', ['TF-1.4'], {
    encode: async (payload) => ({ ...((await encode(payload)) as object), note: '' }),
  }),
]

describeMutants('task factory', mutants)
everyRuleIsCaught(mutants)
