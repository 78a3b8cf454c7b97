import { isMisuse } from '@taskledger/core/ports'
import { expect, test } from 'vitest'
import type { NumberOptions } from '../../../../tools/number-options.ts'
import { oddNumbers, withNumber } from '../../../../tools/number-options.ts'
import type { RabbitmqMessagingOptions } from '../../src/connection/options.ts'
import { settingsOf } from '../../src/connection/settings.ts'

/** For each option the odd numbers that it takes, and the words of a refusal. The compiler asks for every option. */
const options: Readonly<Record<NumberOptions<RabbitmqMessagingOptions>, { readonly takes: readonly number[]; readonly bounds: string }>> = {
  deliveryLimit: { takes: [], bounds: 'a whole number, 1 to 1000000' },
  heartbeatSeconds: { takes: [], bounds: 'a whole number, 1 to 3600' },
  connectTimeoutMs: { takes: [], bounds: 'a whole number, 1 to 2147483647' },
  confirmTimeoutMs: { takes: [], bounds: 'a whole number, 1 to 2147483647' },
  maxUnconfirmed: { takes: [], bounds: 'a whole number, 1 to 65535' },
  maxMessageBytes: { takes: [], bounds: 'a whole number, 1024 to 2147483647' },
  lazyAcknowledgementMs: { takes: [0], bounds: 'a whole number, 0 to 2147483647' },
}

test.for(
  Object.entries(options).flatMap(([name, { takes, bounds }]) =>
    oddNumbers.map((odd) => [name, odd, takes.includes(odd), bounds] as const),
  ),
)('%s: %d is accepted: %s', ([name, odd, isAccepted, bounds]) => {
  const settings = (): unknown => settingsOf({ url: 'amqp://localhost', ...withNumber(name, odd) })
  if (isAccepted) return void settings()
  let refusal: unknown
  try {
    settings()
  } catch (error) {
    refusal = error
  }
  expect(refusal).toSatisfy(isMisuse)
  expect(refusal).toHaveProperty('message', `${name} is ${odd}: give ${bounds}`)
})
