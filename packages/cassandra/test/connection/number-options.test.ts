import { isMisuse } from '@taskledger/core/ports'
import { expect, test } from 'vitest'
import type { NumberOptions } from '../../../../tools/number-options.ts'
import { oddNumbers, withNumber } from '../../../../tools/number-options.ts'
import { checkConnectionOptions } from '../../src/connection/option-checks.ts'
import type { CassandraStorageOptions, MigrationOptions } from '../../src/connection/options.ts'

type Numbers = NumberOptions<CassandraStorageOptions> | NumberOptions<MigrationOptions>

/** For each option the odd numbers that it takes, and the words of a refusal. The compiler asks for every option. */
const options: Readonly<Record<Numbers, { readonly takes: readonly number[]; readonly bounds: string }>> = {
  connectTimeoutMs: { takes: [], bounds: 'a whole number, 1 to 2147483647' },
  requestTimeoutMs: { takes: [], bounds: 'a whole number, 1 to 2147483647' },
  'maxInFlight.requests': { takes: [], bounds: 'a whole number, 1 to 32768' },
  'maxInFlight.conditional': { takes: [], bounds: 'a whole number, 1 to 32768' },
  finishedRowsTtlMs: { takes: [0, 0.5, 2 ** 31], bounds: 'milliseconds, 0 to 315360000000' },
}

test.for(
  Object.entries(options).flatMap(([name, { takes, bounds }]) =>
    oddNumbers.map((odd) => [name, odd, takes.includes(odd), bounds] as const),
  ),
)('%s: %d is accepted: %s', ([name, odd, isAccepted, bounds]) => {
  const check = (): void =>
    checkConnectionOptions('cassandraStorage', { client: { execute() {} }, keyspace: 'tasks', ...withNumber(name, odd) } as never)
  if (isAccepted) return check()
  let refusal: unknown
  try {
    check()
  } catch (error) {
    refusal = error
  }
  expect(refusal).toSatisfy(isMisuse)
  expect(refusal).toHaveProperty('message', `${name} is ${odd}: give ${bounds}`)
})
