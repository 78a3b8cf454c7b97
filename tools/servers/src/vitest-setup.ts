import process from 'node:process'
import type { TestProject } from 'vitest/node'
import type { Servers } from './engines.ts'
import { environmentOf, everyEngine, nowhere, serversOf } from './engines.ts'
import { find } from './find/find.ts'
import { say, skipWithout } from './test-run.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The servers that the tests of a run share. */
    servers: Servers
  }
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
  project.provide('servers', nowhere)
  return skipWithout(project, errors)
}
