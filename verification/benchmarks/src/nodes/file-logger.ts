import { appendFileSync } from 'node:fs'
import { inspect } from 'node:util'
import type { Logger } from '@taskledger/core'

/** Logs to a file, with the time of each entry. */
export const fileLogger = (file: string): Logger => {
  const at =
    (level: string) =>
    (fields: object, message: string): void =>
      appendFileSync(file, `${new Date().toISOString()} ${level} ${message} ${inspect(fields, { breakLength: Infinity })}\n`)
  return { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') }
}
