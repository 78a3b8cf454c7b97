import { misconfigured, TaskledgerError, tlsRefusalOf } from '@taskledger/core/ports'
import type { BrokerAddress } from './broker-address.ts'

type Misconfigured = TaskledgerError<'MISCONFIGURED'>

/** Whether the broker answered and refused the request. */
export const isRefusal = (error: unknown): error is Misconfigured => error instanceof TaskledgerError && error.code === 'MISCONFIGURED'

export const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  // Node's error for a host name with several addresses when all of them fail.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(textOf).join(', ')
  return error.message
}

/**
 * The error for a connection that a broker refuses, with what to change; nothing for an error that may pass. amqplib gives only
 * the text of the broker's answer, and for a refused vhost not even that.
 *
 * @param certificate The certificate that the broker shows, in words.
 */
export const refusalOfConnection = (
  error: unknown,
  { shown, user, vhost }: BrokerAddress,
  certificate?: string,
): Misconfigured | undefined => {
  if (isRefusal(error)) return error
  const text = textOf(error)
  if (/Invalid frame|wrong version number|packet length too long/.test(text))
    return misconfigured(
      `${shown} does not speak AMQP 0-9-1 with${shown.startsWith('amqps') ? '' : 'out'} TLS: check the port, and amqp:// or amqps:// in the url`,
      error,
    )
  const refusedTls = tlsRefusalOf(error, { address: shown, certificate, option: 'socketOptions' })
  if (refusedTls !== undefined) return misconfigured(refusedTls, error)
  if (/ACCESS.REFUSED/.test(text))
    return misconfigured(
      `${shown} refuses the user "${user}": check the user and the password in the url (RabbitMQ accepts the user "guest" only from its own machine)`,
      error,
    )
  if (/Expected ConnectionOpenOk|NOT.ALLOWED/.test(text))
    return misconfigured(
      `${shown} refuses the vhost "${vhost}": either it does not exist (rabbitmqctl add_vhost), or the user "${user}" has no permission to use it (rabbitmqctl set_permissions), or its connection limit is reached, or it is down (see the broker's log)`,
      error,
    )
  if (/SASL mechanism/.test(text))
    return misconfigured(`${shown} accepts no login by password: ${text}. Enable PLAIN in the broker's auth_mechanisms`, error)
  return undefined
}
