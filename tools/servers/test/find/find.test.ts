import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Attempt, Found, Origin, Places } from '../../src/engine.ts'
import { ServerNotAvailable, WrongEnvironment } from '../../src/errors.ts'
import type { FindOptions } from '../../src/find/find.ts'
import { attempt, find, running } from '../../src/find/find.ts'

const absent = (why: string): Attempt<string> => ({ type: 'absent', why })

/** Looks in the given places. By default no place has a server, and none can be started. */
const finding = async (given: Partial<Places<string>>, options: Partial<FindOptions> = {}) => {
  const tried: Origin[] = []
  const said: string[] = []
  const place = (origin: Origin, otherwise: () => Promise<Attempt<string>>) => async () => {
    tried.push(origin)
    return (given[origin] ?? otherwise)()
  }
  const places: Places<string> = {
    environment: place('environment', async () => absent('DATABASE is not set')),
    machine: place('machine', async () => absent('none answers')),
    docker: place('docker', async () => absent('no Docker')),
    started: place('started', () => Promise.reject(new ServerNotAvailable('It is not on this machine', 'Install it'))),
  }
  const engine = { name: 'Database', places: () => places, describe: (endpoint: string) => endpoint }
  const found: Promise<Found<string>> = find(engine, { say: (line) => said.push(line), ...options })
  const outcome = await found.then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  )
  return { ...outcome, tried, said }
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('the search', () => {
  test('takes the first server, and says which one it is', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', '')
    const { value, tried, said } = await finding({ machine: async () => running('here'), docker: async () => running('there') })
    expect(value).toMatchObject({ endpoint: 'here', origin: 'machine' })
    expect(tried).toEqual(['environment', 'machine'])
    expect(said).toEqual(['Database, running on this machine: here'])
  })

  test('ends with a process of its own', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', '')
    const { value, tried } = await finding({ started: async () => running('own') })
    expect(value?.origin).toBe('started')
    expect(tried).toEqual(['environment', 'machine', 'docker', 'started'])
  })

  test('without a server, says what was tried and what to install', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', '')
    const { error } = await finding({})
    expect(error).toBeInstanceOf(ServerNotAvailable)
    expect(String(error)).toContain('There is no Database: DATABASE is not set; none answers; no Docker')
    expect(String(error)).toContain('It is not on this machine. Install it')
  })

  test('does not skip an environment that does not work', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', '')
    const wrong = new WrongEnvironment('DATABASE is wrong')
    const { error, tried } = await finding({ environment: () => Promise.reject(wrong), machine: async () => running('here') })
    expect(error).toBe(wrong)
    expect(tried).toEqual(['environment'])
  })

  test('a server that fails to start is an error, not an absent server', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', '')
    const crash = new Error('it ended')
    const { error } = await finding({ started: () => Promise.reject(crash) })
    expect(error).toBe(crash)
  })

  test('looks only in the place of TASKLEDGER_SERVERS', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', 'started')
    const { value, tried } = await finding({ machine: async () => running('here'), started: async () => running('own') })
    expect(value?.origin).toBe('started')
    expect(tried).toEqual(['started'])
  })

  test('refuses an unknown place', async () => {
    vi.stubEnv('TASKLEDGER_SERVERS', 'cloud')
    const { error, tried } = await finding({ machine: async () => running('here') })
    expect(error).toBeInstanceOf(WrongEnvironment)
    expect(String(error)).toContain('environment, machine, docker, started')
    expect(tried).toEqual([])
  })

  test('a server that does not answer is absent, with the reason', async () => {
    const refused = Object.assign(new Error('All hosts failed'), { innerErrors: { one: new Error('ECONNREFUSED') } })
    expect(await attempt(Promise.reject(refused), 'none answers')).toEqual({ type: 'absent', why: 'none answers (ECONNREFUSED)' })
  })
})
