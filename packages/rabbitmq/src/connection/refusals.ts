import { TaskledgerError } from '@taskledger/core/ports'
import type { BrokerAddress } from './broker-address.ts'

type Misconfigured = TaskledgerError<'MISCONFIGURED'>

const misconfigured = (message: string, cause: unknown): Misconfigured => new TaskledgerError('MISCONFIGURED', message, { cause })

/** Whether the broker answered and refused the request. */
export const isRefusal = (error: unknown): error is Misconfigured => error instanceof TaskledgerError && error.code === 'MISCONFIGURED'

/** The AMQP reply code with which a channel or a connection was closed, or the code of a system error. */
const replyCodeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

export const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  // Node's error for a host name with several addresses when all of them fail.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(textOf).join(', ')
  return error.message
}

/**
 * The error for a connection that a broker refuses, with what to change; nothing for an error that may pass. amqplib gives only
 * the text of the broker's answer, and for a refused vhost not even that.
 */
export const refusalOfConnection = (error: unknown, { shown, user, vhost }: BrokerAddress): Misconfigured | undefined => {
  const text = textOf(error)
  if (/ACCESS.REFUSED/.test(text))
    return misconfigured(
      `${shown} refuses the user "${user}": check the user and the password in the url (RabbitMQ accepts the user "guest" only from its own machine)`,
      error,
    )
  if (/Expected ConnectionOpenOk|NOT.ALLOWED/.test(text))
    return misconfigured(
      `${shown} refuses the vhost "${vhost}": either it does not exist (rabbitmqctl add_vhost), or the user "${user}" has no permission to use it (rabbitmqctl set_permissions), or its connection limit is reached`,
      error,
    )
  if (/SASL mechanism/.test(text))
    return misconfigured(`${shown} accepts no login by password: ${text}. Enable PLAIN in the broker's auth_mechanisms`, error)
  if (/certificate|self.signed|altname/i.test(text))
    return misconfigured(`the certificate of ${shown} is not trusted: ${text}. Set "ca" or "servername" in socketOptions`, error)
  if (/Invalid frame|wrong version number|packet length too long/.test(text))
    return misconfigured(
      `${shown} does not speak AMQP 0-9-1 with${shown.startsWith('amqps') ? '' : 'out'} TLS: check the port, and amqp:// or amqps:// in the url`,
      error,
    )
  return undefined
}

/** The error for an operation that a broker refuses on a channel, with what to change; nothing for an error that may pass. */
export const refusalOfOperation = (error: unknown, what: string): Misconfigured | undefined => {
  if (isRefusal(error)) return error
  const text = textOf(error)
  switch (replyCodeOf(error)) {
    case 403:
      return misconfigured(
        `the broker refuses ${what}: ${text}. Grant the user of the url to configure, write and read names that begin with the prefix, and to write and read amq.default (rabbitmqctl set_permissions)`,
        error,
      )
    case 405:
      return misconfigured(`${what} is exclusive to another connection: ${text}. Use another prefix, or delete it`, error)
    case 406:
      return misconfigured(
        `${what} exists with other arguments than this node declares: ${text}. Nothing was changed. Use the options with which it was created (queueType, deliveryLimit), use another prefix, or delete it once it is empty`,
        error,
      )
    case 530:
    case 540:
      return misconfigured(`the broker does not allow ${what}: ${text}`, error)
    default:
      return undefined
  }
}
