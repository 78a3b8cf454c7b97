import { afterEach, describe, expect, test, vi } from 'vitest'
import { ServerNotAvailable, WrongEnvironment } from '../src/errors.ts'
import { attempt, climb } from '../src/ladder.ts'
import type { Attempt, FindOptions, Rungs } from '../src/ladder.ts'
import type { Found, Origin } from '../src/types.ts'

const absent = (why: string): Attempt<string> => ({ type: 'absent', why })
const present = (endpoint: string): Attempt<string> => ({ type: 'present', endpoint, stop: () => Promise.resolve() })

/** Climbs rungs that do as they are told; by default nothing is there, and what would be started is not installed. */
const climbing = async (told: Partial<Rungs<string>>, options: Partial<FindOptions> = {}) => {
  const tried: Origin[] = []
  const said: string[] = []
  const rung = (origin: Origin, otherwise: () => Promise<Attempt<string>>) => async () => {
    tried.push(origin)
    return (told[origin] ?? otherwise)()
  }
  const found: Promise<Found<string>> = climb(
    'Database',
    {
      environment: rung('environment', async () => absent('DATABASE is not set')),
      machine: rung('machine', async () => absent('none answers')),
      docker: rung('docker', async () => absent('no Docker')),
      started: rung('started', () => Promise.reject(new ServerNotAvailable('It is not on this machine', 'Install it'))),
    },
    (endpoint) => endpoint,
    { say: (line) => said.push(line), ...options },
  )
  const outcome = await found.then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  )
  return { ...outcome, tried, said }
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('the ladder', () => {
  test('takes the first server there is, and tells which', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', '')
    const { value, tried, said } = await climbing({ machine: async () => present('here'), docker: async () => present('there') })
    expect(value).toMatchObject({ endpoint: 'here', origin: 'machine' })
    expect(tried).toEqual(['environment', 'machine'])
    expect(said).toEqual(['Database, running on this machine: here'])
  })

  test('goes down to processes of its own', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', '')
    const { value, tried } = await climbing({ started: async () => present('own') })
    expect(value?.origin).toBe('started')
    expect(tried).toEqual(['environment', 'machine', 'docker', 'started'])
  })

  test('where there is none, says what was tried and what to install', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', '')
    const { error } = await climbing({})
    expect(error).toBeInstanceOf(ServerNotAvailable)
    expect(String(error)).toContain('There is no Database: DATABASE is not set; none answers; no Docker')
    expect(String(error)).toContain('It is not on this machine. Install it')
  })

  test('never passes over an environment that does not work', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', '')
    const wrong = new WrongEnvironment('DATABASE is wrong')
    const { error, tried } = await climbing({ environment: () => Promise.reject(wrong), machine: async () => present('here') })
    expect(error).toBe(wrong)
    expect(tried).toEqual(['environment'])
  })

  test('a server that fails to start is an error, and not an absent one', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', '')
    const crash = new Error('it ended')
    const { error } = await climbing({ started: () => Promise.reject(crash) })
    expect(error).toBe(crash)
  })

  test('looks only where TASKLEDGER_SERVERS says', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', 'started')
    const { value, tried } = await climbing({ machine: async () => present('here'), started: async () => present('own') })
    expect(value?.origin).toBe('started')
    expect(tried).toEqual(['started'])
  })

  test('a place to look at that there is not is refused', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', 'cloud')
    const { error, tried } = await climbing({ machine: async () => present('here') })
    expect(error).toBeInstanceOf(WrongEnvironment)
    expect(String(error)).toContain('environment, machine, docker, started')
    expect(tried).toEqual([])
  })

  test('a server that does not answer is an absent one, with the reason', async () => {
    const refused = Object.assign(new Error('All hosts failed'), { innerErrors: { one: new Error('ECONNREFUSED') } })
    expect(await attempt(Promise.reject(refused), 'none answers')).toEqual({ type: 'absent', why: 'none answers (ECONNREFUSED)' })
  })
})
