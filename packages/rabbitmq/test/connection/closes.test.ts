import { TaskledgerError } from '@taskledger/core/ports'
import { expect, test } from 'vitest'
import { explained, messageLimitOf, refusalOfOperation } from '../../src/connection/closes.ts'

/** The error that amqplib makes of a broker's answer. `method` is the refused one, by the numbers of AMQP. */
const answer = (code: number, text: string, [classId, methodId]: readonly [number, number] = [0, 0]): Error =>
  Object.assign(new Error(`Operation failed: QueueDeclare; ${code} (SOME-NAME) with message "${text}"`), { code, classId, methodId })

const declareQueue = [50, 10] as const

type Row = readonly [title: string, answer: Error, code: 'MISCONFIGURED' | 'UNAVAILABLE', words: RegExp]

const rows: readonly Row[] = [
  [
    'other arguments of a queue',
    answer(
      406,
      "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'p.work.default' in vhost '/': received '100' but current is '7'",
    ),
    'MISCONFIGURED',
    /^the queue "p.work.default" exists with other arguments .*'x-delivery-limit'.*another prefix, or delete it once it is empty$/,
  ],
  [
    'another type of an exchange',
    answer(
      406,
      "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'p.events' in vhost '/': received 'fanout' but current is 'direct'",
    ),
    'MISCONFIGURED',
    /^the exchange "p.events" exists with other arguments/,
  ],
  [
    'the consumer timeout',
    answer(
      406,
      'PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms. This timeout value can be configured, see consumers doc guide to learn more',
    ),
    'UNAVAILABLE',
    /^the thing did not acknowledge a message within the consumer timeout of the broker \(1800000 ms\).*raise consumer_timeout at the broker$/,
  ],
  [
    'a late acknowledgement',
    answer(406, 'PRECONDITION_FAILED - unknown delivery tag 3'),
    'UNAVAILABLE',
    /acknowledged a message that the broker had taken back/,
  ],
  [
    'a message above the limit of 3.10',
    answer(406, 'PRECONDITION_FAILED - message size 60013 is larger than max size 50000'),
    'UNAVAILABLE',
    /^a message has 60013 bytes, and the broker accepts at most 50000: give this number or less as maxMessageBytes/,
  ],
  [
    'a message above the limit of 4.x',
    answer(406, 'PRECONDITION_FAILED - message size 60013 is larger than configured max size 50000'),
    'UNAVAILABLE',
    /^a message has 60013 bytes, and the broker accepts at most 50000/,
  ],
  [
    'a limit of queues',
    answer(406, "PRECONDITION_FAILED - cannot declare queue 'q': queue limit in vhost '/' (3) is reached"),
    'MISCONFIGURED',
    /a limit of the broker does not allow the thing.*Raise the limit/,
  ],
  [
    'an unknown argument',
    answer(406, "PRECONDITION_FAILED - invalid arg 'x-queue-type' for queue 'q' in vhost '/': {unsupported}"),
    'MISCONFIGURED',
    /does not know an argument of the thing/,
  ],
  ['another precondition', answer(406, 'PRECONDITION_FAILED - of a later release'), 'MISCONFIGURED', /does not accept the thing: PREC/],
  [
    'a missing right, named by the broker',
    answer(403, "ACCESS_REFUSED - write access to exchange 'amq.default' in vhost '/' refused for user 'narrow'", declareQueue),
    'MISCONFIGURED',
    /^the user "narrow" may not write the exchange "amq.default" in the vhost "\/"\. Grant it/,
  ],
  [
    'a missing right, not named by the broker',
    answer(403, "ACCESS_REFUSED - access to exchange 'amq.default' in vhost '/' refused for user 'narrow'", declareQueue),
    'MISCONFIGURED',
    /^the user "narrow" may not write the exchange "amq.default"/,
  ],
  [
    'a missing right on a queue, not named by the broker',
    answer(403, "ACCESS_REFUSED - access to queue 'p.dead.q' in vhost 'v' refused for user 'narrow'", declareQueue),
    'MISCONFIGURED',
    /^the user "narrow" may not configure or read the queue "p.dead.q" in the vhost "v"/,
  ],
  [
    'a missing right to read',
    answer(403, "ACCESS_REFUSED - access to queue 'q' in vhost '/' refused for user 'u'", [60, 20]),
    'MISCONFIGURED',
    /may not read the queue "q"/,
  ],
  [
    'a missing right to bind',
    answer(403, "ACCESS_REFUSED - access to queue 'q' in vhost '/' refused for user 'u'", [50, 20]),
    'MISCONFIGURED',
    /may not write the queue "q"/,
  ],
  [
    'an exclusive consumer',
    answer(403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use"),
    'MISCONFIGURED',
    /another client uses the thing exclusively/,
  ],
  ['another refusal', answer(403, 'ACCESS_REFUSED - of a later release'), 'MISCONFIGURED', /refuses the thing/],
  ['a deleted queue', answer(404, "NOT_FOUND - no queue 'q' in vhost '/'"), 'UNAVAILABLE', /the thing was deleted, or its node is down/],
  [
    'an exclusive queue',
    answer(405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q' in vhost '/'"),
    'MISCONFIGURED',
    /is exclusive to another connection/,
  ],
  ['content that is too large', answer(311, 'CONTENT_TOO_LARGE'), 'UNAVAILABLE', /too large for the broker/],
  [
    'a broker that stops',
    answer(320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"),
    'UNAVAILABLE',
    /the broker closed the connection, because it stops or somebody closed the connection: .*'shutdown'/,
  ],
  ['a frame error', answer(501, 'FRAME_ERROR - unknown'), 'UNAVAILABLE', /misunderstood each other \(501\)/],
  ['a channel error', answer(504, "CHANNEL_ERROR - expected 'channel.open'"), 'UNAVAILABLE', /misunderstood each other \(504\)/],
  ['an unexpected frame', answer(505, 'UNEXPECTED_FRAME - expected content'), 'UNAVAILABLE', /misunderstood each other \(505\)/],
  ['a lack of resources', answer(506, 'RESOURCE_ERROR - no more memory'), 'UNAVAILABLE', /short of resources/],
  ['a limit of channels', answer(530, 'NOT_ALLOWED - number of channels opened'), 'MISCONFIGURED', /does not allow the thing/],
  ['a vhost that is down', answer(530, "NOT_ALLOWED - vhost '/' is down"), 'UNAVAILABLE', /the vhost of the thing is down/],
  ['something not implemented', answer(540, 'NOT_IMPLEMENTED - x'), 'MISCONFIGURED', /does not support the thing/],
  ['an internal error', answer(541, 'INTERNAL_ERROR'), 'UNAVAILABLE', /the broker failed at the thing/],
  [
    'a deprecated feature',
    answer(541, 'INTERNAL_ERROR - Feature `x` is deprecated.'),
    'MISCONFIGURED',
    /no longer supports the thing: INTERNAL_ERROR - Feature `x`/,
  ],
]

test.each(rows)('%s', (_title, error, code, words) => {
  const explanation = explained(error, 'the thing') as TaskledgerError
  expect(explanation).toBeInstanceOf(TaskledgerError)
  expect([explanation.code, explanation.message]).toEqual([code, expect.stringMatching(words)])
  expect(explanation.cause).toBe(error)
  expect(refusalOfOperation(error, 'the thing')?.code).toBe(code === 'MISCONFIGURED' ? code : undefined)
})

test('only other arguments make an error that speaks of deleting a queue with its messages', () => {
  const texts = rows.flatMap(([title, error]) => (/^(other arguments|another type)/.test(title) ? [] : [error]))
  for (const error of texts) expect((explained(error, 'the thing') as Error).message).not.toMatch(/delete it/)
})

test.each([new Error('channel closed'), Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), undefined, 'text'])(
  'an error that is no answer of the broker is returned as it is: %s',
  (error) => {
    expect(explained(error, 'the thing')).toBe(error)
    expect(messageLimitOf(error)).toBeUndefined()
  },
)
