import { TaskledgerError } from '@taskledger/core/ports'
import type { BrokerAddress } from './broker-address.ts'

type Misconfigured = TaskledgerError<'MISCONFIGURED'>

const misconfigured = (message: string, cause: unknown): Misconfigured => new TaskledgerError('MISCONFIGURED', message, { cause })

/** Whether the engine answered and refused what it was given. */
export const isRefusal = (error: unknown): error is Misconfigured => error instanceof TaskledgerError && error.code === 'MISCONFIGURED'

/** The number that AMQP has for why a channel or a connection was closed, or that a system call has. */
const replyCodeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

export const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  // Where a host has several addresses, each of which fails.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(textOf).join(', ')
  return error.message
}

/**
 * What there is to mend where a broker answers and does not let us in, or nothing where it may be otherwise a moment later.
 * The library hands on only the text of the broker's answer, and of a refused vhost not even that.
 */
export const refusalOfConnection = (error: unknown, { shown, user, vhost }: BrokerAddress): Misconfigured | undefined => {
  const text = textOf(error)
  if (/ACCESS.REFUSED/.test(text))
    return misconfigured(
      `${shown} refuses the user "${user}": check the user and the password in the url (the user "guest" is let in from the broker's own machine only)`,
      error,
    )
  if (/Expected ConnectionOpenOk|NOT.ALLOWED/.test(text))
    return misconfigured(
      `${shown} refuses the vhost "${vhost}": it is missing (rabbitmqctl add_vhost), or the user "${user}" may not use it (rabbitmqctl set_permissions), or it has as many connections as it may have`,
      error,
    )
  if (/SASL mechanism/.test(text)) return misconfigured(`${shown} does not let users in by password: ${text}`, error)
  if (/certificate|self.signed|altname/i.test(text))
    return misconfigured(`the certificate of ${shown} is not trusted: ${text}. Give "ca" or "servername" in socketOptions`, error)
  if (/Invalid frame|wrong version number|packet length too long/.test(text))
    return misconfigured(
      `${shown} does not speak AMQP 0-9-1 with${shown.startsWith('amqps') ? '' : 'out'} TLS: check the port and amqp:// or amqps://`,
      error,
    )
  return undefined
}

/** What there is to mend where a broker refuses an operation on a channel, or nothing where it may be otherwise a moment later. */
export const refusalOfOperation = (error: unknown, what: string): Misconfigured | undefined => {
  if (isRefusal(error)) return error
  const text = textOf(error)
  switch (replyCodeOf(error)) {
    case 403:
      return misconfigured(
        `the broker refuses ${what}: ${text}. Give the user of the url the permission to configure, write and read what begins with the prefix, and to write and read amq.default (rabbitmqctl set_permissions)`,
        error,
      )
    case 405:
      return misconfigured(`${what} belongs to another connection alone: ${text}. Give another prefix, or delete it`, error)
    case 406:
      return misconfigured(
        `${what} exists with other arguments than this node wants: ${text}. Nothing was changed. Give the options with which it was made (queueType, deliveryLimit), or another prefix, or delete it once it is empty`,
        error,
      )
    case 530:
    case 540:
      return misconfigured(`the broker does not allow ${what}: ${text}`, error)
    default:
      return undefined
  }
}
