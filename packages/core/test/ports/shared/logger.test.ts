import { consoleLogger, silentLogger } from '@taskledger/core/ports'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => vi.restoreAllMocks())

test.each<[string, typeof consoleLogger, number]>([
  ['the console logger writes warnings and errors', consoleLogger, 1],
  ['the silent logger tells nothing', silentLogger, 0],
])('%s', (_what, logger, times) => {
  const methods = (['debug', 'info', 'log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => {}))
  const [debug, info, log, warn, error] = methods
  for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]({ queue: 'mail' }, 'it is late')
  for (const method of [debug, info, log]) expect(method).not.toHaveBeenCalled()
  for (const method of [warn, error])
    expect(method?.mock.calls).toEqual(Array.from({ length: times }, () => ['[taskledger] it is late', { queue: 'mail' }]))
})
