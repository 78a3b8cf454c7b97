import { appendFileSync } from 'node:fs'
import process from 'node:process'
import type { TestProject } from 'vitest/node'
import type { Say } from './engine.ts'
import { reasonOf, ServerNotAvailable } from './errors.ts'

export const say: Say = (line) => process.stderr.write(`${line}\n`)

/** Shows a line at the end of the run, or of the larger run that this one is a part of. */
const note = (line: string): void => {
  const file = process.env['NOTES_FILE']
  if (file === undefined) say(line)
  else appendFileSync(file, `${line}\n`)
}

const isCi = (): boolean => !['', '0', 'false', undefined].includes(process.env['CI'])

/**
 * Skips all tests of a project that lacks its servers, and says so at the end of the run. With `CI` set, and after any other error, it
 * throws.
 */
export const skipWithout = (project: TestProject, errors: readonly unknown[]): (() => Promise<void>) => {
  const severe = errors.filter((each) => !(each instanceof ServerNotAvailable) || isCi())
  if (severe.length > 0) throw new Error(severe.map(reasonOf).join('\n'))
  // Matches no name: each test counts as skipped, and no hook runs.
  project.config.testNamePattern = /(?!)/
  return () => {
    const reasons = errors.map((each) => (each instanceof ServerNotAvailable ? each.message.replaceAll('\n', ' ') : ''))
    note(`Not tested: the tests of ${project.name}, which need real servers. ${reasons.join('. ')}`)
    return Promise.resolve()
  }
}
