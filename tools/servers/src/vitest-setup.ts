import { appendFileSync } from 'node:fs'
import process from 'node:process'
import type { TestProject } from 'vitest/node'
import type { Say } from './engine.ts'
import type { Servers } from './engines.ts'
import { environmentOf, everyEngine, nowhere, serversOf } from './engines.ts'
import { reasonOf, ServerNotAvailable } from './errors.ts'
import { find } from './find/find.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The servers that the tests of a run share. */
    servers: Servers
  }
}

const say: Say = (line) => process.stderr.write(`${line}\n`)

/** Shows a line at the end of the run, or of the larger run that this one is a part of. */
const note = (line: string): void => {
  const file = process.env['NOTES_FILE']
  if (file === undefined) say(line)
  else appendFileSync(file, `${line}\n`)
}

/** Finds one server of each engine for the whole run, and stops at its end those that it started. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const outcomes = await Promise.allSettled(everyEngine.map(([, engine]) => find(engine, { say })))
  const found = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const teardown = async (): Promise<void> => {
    await Promise.all(found.map((server) => server.stop()))
  }
  const errors = outcomes.flatMap((outcome): readonly unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []))
  if (errors.length === 0) {
    const servers = serversOf(found)
    project.provide('servers', servers)
    // A process that a test starts looks for servers too, and finds these.
    Object.assign(process.env, environmentOf(servers))
    return teardown
  }
  await teardown()
  const severe = errors.filter((each) => !(each instanceof ServerNotAvailable) || isCi())
  if (severe.length > 0) throw new Error(severe.map(reasonOf).join('\n'))
  project.provide('servers', nowhere)
  // Matches no name: each test counts as skipped, and no hook runs.
  project.config.testNamePattern = /(?!)/
  return () => {
    const reasons = errors.map((each) => (each instanceof ServerNotAvailable ? each.message.replaceAll('\n', ' ') : ''))
    note(`Not tested: what runs on real servers. ${reasons.join('. ')}`)
    return Promise.resolve()
  }
}

const isCi = (): boolean => !['', '0', 'false', undefined].includes(process.env['CI'])
