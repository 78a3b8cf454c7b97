import { misconfigured, TaskledgerError, unavailable } from '@taskledger/core/ports'
import { isRefusal, textOf } from './refusals.ts'

/** What a broker means by a reply code and its text. */
interface Meaning {
  readonly code: number
  /** Matches the text of the broker. Absent: any text. */
  readonly text?: RegExp
  /** `change`: a retry fails until somebody changes something. `retry`: a retry may succeed. */
  readonly remedy: 'change' | 'retry'
  say(close: Close): string
}

/** What the broker refused or closed, and its answer. */
interface Close {
  readonly what: string
  readonly said: string
  /** The groups of the meaning's text. */
  readonly found: readonly (string | undefined)[]
  /** The method that the broker refused, by the numbers of AMQP: `50.10` declares a queue. */
  readonly method: string
}

/** The right that a method needs on a queue or an exchange. RabbitMQ 3.10 does not name it, newer releases do. */
const rightFor = (method: string, kind: string): string => {
  switch (`${method} ${kind}`) {
    case '50.20 exchange':
    case '60.20 queue':
      return 'read'
    case '50.20 queue':
    case '50.10 exchange':
    case '60.40 exchange':
      return 'write'
    // A queue with a dead letter exchange needs both.
    case '50.10 queue':
      return 'configure or read'
    default:
      return 'configure'
  }
}

/** The first meaning that fits is taken. The reply codes are those of AMQP 0-9-1, the texts those of RabbitMQ 3.10 to 4.3. */
const meanings: readonly Meaning[] = [
  {
    code: 403,
    text: /(?:(configure|write|read) )?access to (\w+) '([^']*)' in vhost '([^']*)' refused for user '([^']*)'/,
    remedy: 'change',
    say: ({ method, found: [right, kind = '', name = '', vhost = '', user = ''] }) =>
      `the user "${user}" may not ${right ?? rightFor(method, kind)} the ${kind} "${name}" in the vhost "${vhost}". Grant it to configure and read names that begin with the prefix and a dot or with "amq.gen", and to write these and "amq.default" (rabbitmqctl set_permissions)`,
  },
  {
    code: 403,
    text: /exclusive use/,
    remedy: 'change',
    say: ({ what, said }) => `another client uses ${what} exclusively: ${said}. Stop that client, or use another prefix`,
  },
  { code: 403, remedy: 'change', say: ({ what, said }) => `the broker refuses ${what}: ${said}. Check the rights of the user` },
  { code: 404, remedy: 'retry', say: ({ what, said }) => `${what} was deleted, or its node is down: ${said}. It is declared again` },
  {
    code: 405,
    remedy: 'change',
    say: ({ what, said }) => `${what} is exclusive to another connection: ${said}. Close that connection, or use another prefix`,
  },
  {
    code: 406,
    text: /inequivalent arg '[^']*' for (\w+) '([^']*)'/,
    remedy: 'change',
    say: ({ said, found: [kind = '', name = ''] }) =>
      `the ${kind} "${name}" exists with other arguments than this node declares: ${said}. Nothing was changed. Use the options with which it was created (queueType, deliveryLimit), use another prefix, or delete it once it is empty`,
  },
  {
    code: 406,
    text: /acknowledgement on channel \d+ timed out\. Timeout value used: (\d+) ms/,
    remedy: 'retry',
    say: ({ what, found: [ms = ''] }) =>
      `${what} did not acknowledge a message within the consumer timeout of the broker (${ms} ms), so the broker delivers the message again. Queues and messages are as they were. If tasks of a serial queue may run for longer, raise consumer_timeout at the broker`,
  },
  {
    code: 406,
    text: /unknown delivery tag/,
    remedy: 'retry',
    say: ({ what, said }) =>
      `${what} acknowledged a message that the broker had taken back: ${said}. The broker delivers the message again`,
  },
  {
    code: 406,
    text: /message size (\d+).*max(?:imum)? size (?:of )?'?(\d+)/,
    remedy: 'retry',
    say: ({ found: [bytes = '', limit = ''] }) =>
      `a message has ${bytes} bytes, and the broker accepts at most ${limit}: give this number or less as maxMessageBytes, or raise max_message_size at the broker`,
  },
  {
    code: 406,
    text: /limit .*reached/,
    remedy: 'change',
    say: ({ what, said }) => `a limit of the broker does not allow ${what}: ${said}. Raise the limit, or delete what is not used`,
  },
  {
    code: 406,
    text: /invalid arg '([^']*)'/,
    remedy: 'change',
    say: ({ what, said }) => `the broker does not know an argument of ${what}: ${said}. RabbitMQ 3.10 or newer is needed`,
  },
  { code: 406, remedy: 'change', say: ({ what, said }) => `the broker does not accept ${what}: ${said}` },
  { code: 311, remedy: 'retry', say: ({ what, said }) => `a message of ${what} is too large for the broker: ${said}` },
  {
    code: 320,
    remedy: 'retry',
    say: ({ said }) => `the broker closed the connection, because it stops or somebody closed the connection: ${said}`,
  },
  { code: 506, remedy: 'retry', say: ({ what, said }) => `the broker is short of resources for ${what}: ${said}` },
  {
    code: 530,
    text: /is down/,
    remedy: 'retry',
    say: ({ what, said }) => `the vhost of ${what} is down: ${said}. See the log of the broker`,
  },
  { code: 530, remedy: 'change', say: ({ what, said }) => `the broker does not allow ${what}: ${said}` },
  { code: 540, remedy: 'change', say: ({ what, said }) => `the broker does not support ${what}: ${said}` },
  {
    code: 541,
    text: /deprecated|not permitted/,
    remedy: 'change',
    say: ({ what, said }) => `the broker no longer supports ${what}: ${said}`,
  },
  { code: 541, remedy: 'retry', say: ({ what, said }) => `the broker failed at ${what}: ${said}. See the log of the broker` },
  // A fault in the protocol, of this client or of a proxy between: the same request works on a new channel, or never.
  ...[501, 502, 503, 504, 505].map((code): Meaning => ({
    code,
    remedy: 'retry',
    say: ({ what, said }) => `the broker and ${what} misunderstood each other (${code}): ${said}. If that happens again, report it`,
  })),
]

/** The reply code with which the broker closed a channel or a connection, or the code of a system error. */
const codeOfReply = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

const methodOf = (error: unknown): string =>
  error instanceof Error && 'classId' in error && 'methodId' in error ? `${String(error.classId)}.${String(error.methodId)}` : ''

/** The broker's own words: amqplib puts its own before them. */
const saidBy = (error: unknown): string => /with message "(.*)"$/s.exec(textOf(error))?.[1] ?? textOf(error)

/**
 * The error for an answer by which the broker closed a channel or a connection, in words that say what to do: `MISCONFIGURED` if
 * something has to be changed, `UNAVAILABLE` if a retry may succeed. Any other error is returned as it is.
 *
 * @param what What the broker refused or closed.
 */
export const explained = (error: unknown, what: string): unknown => {
  if (error instanceof TaskledgerError) return error
  const said = saidBy(error)
  const code = codeOfReply(error)
  const meaning = meanings.find((each) => each.code === code && (each.text?.test(said) ?? true))
  if (meaning === undefined) return error
  const message = meaning.say({ what, said, found: meaning.text?.exec(said)?.slice(1) ?? [], method: methodOf(error) })
  return meaning.remedy === 'change' ? misconfigured(message, error) : unavailable(message, error)
}

/** The error for an operation that a broker refuses until something is changed; nothing for an error that may pass. */
export const refusalOfOperation = (error: unknown, what: string): TaskledgerError<'MISCONFIGURED'> | undefined => {
  const explanation = explained(error, what)
  return isRefusal(explanation) ? explanation : undefined
}

/** The largest message that the broker accepts, in bytes, if it closed a channel because of a larger message. */
export const messageLimitOf = (error: unknown): number | undefined => {
  const [, limit] = /max(?:imum)? size (?:of )?'?(\d+)/i.exec(textOf(error)) ?? []
  return limit === undefined ? undefined : Number(limit)
}

/** Whether the broker denied a right. */
export const isDenied = (error: unknown): boolean => codeOfReply(error) === 403
