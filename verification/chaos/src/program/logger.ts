import type { Logger } from '@taskledger/core'

/** Logs in lines to stderr, which the parent leads into a file. */
export const stderrLogger = (): Logger => {
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      process.stderr.write(`${new Date().toISOString()} ${level} ${message} ${JSON.stringify(fields, readable)}\n`)
    }
  return { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') }
}

const readable = (_: string, value: unknown): unknown =>
  value instanceof Error ? Object.assign({ message: value.message, stack: value.stack, cause: value.cause }, value) : value
