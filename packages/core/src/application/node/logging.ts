import type { Logger } from '../../ports/logger.ts'

/** Adds fields to whatever is logged. */
export const taskLogger = (logger: Logger, bound: object): Logger => ({
  debug: (fields, message) => logger.debug({ ...bound, ...fields }, message),
  info: (fields, message) => logger.info({ ...bound, ...fields }, message),
  warn: (fields, message) => logger.warn({ ...bound, ...fields }, message),
  error: (fields, message) => logger.error({ ...bound, ...fields }, message),
})

/** A logger that throws has nobody left to tell, and must not take a task with it. */
export const harmless = (logger: Logger): Logger => {
  const method =
    (level: keyof Logger): Logger['debug'] =>
    (fields, message) => {
      try {
        logger[level](fields, message)
      } catch {
        // Whoever gave the logger is the only one who could be told, by that logger.
      }
    }
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') }
}
