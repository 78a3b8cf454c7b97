import type { TestProject } from 'vitest/node'
import { everyEngine } from './engines.ts'
import { say, skipWithout } from './test-run.ts'

/** For tests that start servers of their own: fetches what this machine needs for that. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const outcomes = await Promise.allSettled(everyEngine.map(([, engine]) => engine.prepare(say)))
  const errors = outcomes.flatMap((outcome): readonly unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []))
  return errors.length === 0 ? () => Promise.resolve() : skipWithout(project, errors)
}
