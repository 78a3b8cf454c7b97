import type { Logger } from '../../ports/shared/logger.ts'

/** A logger that adds fields to every line: its node, a task. A field of the line itself wins. */
export const boundLogger = (logger: Logger, bound: object): Logger => ({
  debug: (fields, message) => logger.debug({ ...bound, ...fields }, message),
  info: (fields, message) => logger.info({ ...bound, ...fields }, message),
  warn: (fields, message) => logger.warn({ ...bound, ...fields }, message),
  error: (fields, message) => logger.error({ ...bound, ...fields }, message),
})

/** A logger that catches the errors of the given logger: a failing logger must not fail a task. */
export const neverThrowing = (logger: Logger): Logger => {
  const method =
    (level: keyof Logger): Logger['debug'] =>
    (fields, message) => {
      try {
        logger[level](fields, message)
      } catch {
        // The failing logger is the only place to report this to.
      }
    }
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') }
}
