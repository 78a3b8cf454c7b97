import type { Logger } from '../../ports/shared/logger.ts'

/** A logger that adds fields to every line: its node, a task. A field of the line itself wins. */
export const boundLogger = (logger: Logger, bound: object): Logger => ({
  debug: (fields, message) => logger.debug({ ...bound, ...fields }, message),
  info: (fields, message) => logger.info({ ...bound, ...fields }, message),
  warn: (fields, message) => logger.warn({ ...bound, ...fields }, message),
  error: (fields, message) => logger.error({ ...bound, ...fields }, message),
})
