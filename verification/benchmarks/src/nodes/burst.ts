import { performance } from 'node:perf_hooks'

/** A number of tasks, submitted by a number of concurrent submitters. */
export interface Burst {
  readonly count: number
  readonly atOnce: number
  /**
   * `all`: submitters do not wait, and every end is awaited beside them. `each`: a submitter awaits the end of its task before it submits
   * the next one, so that at most `atOnce` tasks are active. `none`: nothing is awaited.
   */
  readonly awaits: 'all' | 'each' | 'none'
}

/** In milliseconds since the first submit. */
export interface BurstTimes {
  /** When the last submit was acknowledged. */
  readonly submittedMs: number
  /** When the last await resolved. */
  readonly endedMs: number
}

/** Submits and awaits. `submit` resolves once a task is durable, with a function that awaits its end. */
export const burst = async ({ count, atOnce, awaits }: Burst, submit: () => Promise<() => Promise<unknown>>): Promise<BurstTimes> => {
  const startedAt = performance.now()
  const ends: Promise<unknown>[] = []
  let left = count
  const submitter = async (): Promise<void> => {
    while (left-- > 0) {
      const ended = await submit()
      if (awaits === 'each') await ended()
      else if (awaits === 'all') ends.push(ended())
    }
  }
  await Promise.all(Array.from({ length: atOnce }, submitter))
  const submittedMs = performance.now() - startedAt
  await Promise.all(ends)
  return { submittedMs, endedMs: performance.now() - startedAt }
}
