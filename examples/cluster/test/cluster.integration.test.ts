import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { clearCassandra } from '../src/environment/clear-cassandra.ts'
import { clearRabbitmq } from '../src/environment/clear-rabbitmq.ts'
import { leftoversOf } from './leftovers.ts'
import type { Running } from './run-program.ts'
import { isThere, keyspaceOf, launch, workersOf } from './run-program.ts'

const servers = inject('servers')

const scratch = mkdtempSync(join(tmpdir(), 'cluster-test-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const start = (...args: readonly string[]): Running => {
  const running = launch(servers, scratch, ...args)
  onTestFinished(() => void running.child.kill('SIGKILL'))
  return running
}

/** Resolves once the output of the program matches. */
const said = (running: Running, words: RegExp): Promise<void> =>
  vi
    .waitUntil(() => words.test(running.stdout) || running.child.exitCode !== null, { timeout: 60_000 })
    .then(() => {
      expect(running.stdout + running.stderr).toMatch(words)
    })

describe('npm run cluster -- --plain', { timeout: 240_000, concurrent: false }, () => {
  it('does the whole job on four processes, loses nothing, and leaves nothing behind', async () => {
    const running = start('--plain')
    const code = await running.ended
    const { stdout, stderr } = running
    const lines = stdout.trimEnd().split('\n')
    expect(lines.at(-1), stdout + stderr).toMatch(/^cluster: 13 submitted, 12 completed, 1 cancelled, 0 lost, 4 processes, \d+\.\d s$/)
    expect([code, stderr]).toEqual([0, ''])
    // It fails once on purpose, unless it was released before.
    expect(stdout).toMatch(/archive\/crew-2024\.mbox: (?:failed on worker-\d, and runs again|released by worker-\d)/)
    expect(stdout).toMatch(/stopping worker-\d in order, and adding another worker/)
    expect(stdout).toMatch(/archive\/crew-202[345]\.mbox: released by worker-[12]/)
    expect(stdout).toMatch(/worker-3, process \d+: ready/)
    expect(workersOf(running)).toHaveLength(3)
    expect(workersOf(running).filter(isThere)).toEqual([])
    expect(keyspaceOf(running)).toMatch(/^cluster_[0-9a-f]{8}$/)
    expect(await leftoversOf(servers, keyspaceOf(running))).toEqual([])
    expect(readdirSync(scratch)).toEqual([])
  })

  it('ends in order at the first SIGINT, with sums of the unfinished run', async () => {
    const running = start('--plain')
    await said(running, /started on worker/)
    running.child.kill('SIGINT')
    const code = await running.ended
    expect(running.stdout).toContain('Shutting down in order\n')
    expect(running.stdout).toMatch(/\ncluster: 13 submitted, .*, \d+ not finished, 0 lost, \d processes, [\d.]+ s\n$/)
    expect([code, running.stderr]).toEqual([130, ''])
    expect(workersOf(running).filter(isThere)).toEqual([])
    expect(await leftoversOf(servers, keyspaceOf(running))).toEqual([])
  })

  it('ends its workers when it is killed: they release their tasks, and stop', async () => {
    const running = start('--plain')
    await said(running, /started on worker/)
    const workers = workersOf(running)
    expect(workers.filter(isThere)).toHaveLength(2)
    running.child.kill('SIGKILL')
    await running.ended
    await vi.waitUntil(() => !workers.some(isThere), { timeout: 30_000 })
    const name = keyspaceOf(running)
    expect(await leftoversOf(servers, name)).not.toEqual([])
    const logs = readdirSync(scratch, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('worker-2.log'))
    expect(logs.map((file) => readFileSync(join(scratch, file), 'utf8')).join('')).toContain(
      'releasing the running tasks: the parent is gone',
    )
    const engines = { cassandra: servers.cassandra, keyspace: name, amqpUrl: servers.amqp.url, prefix: name }
    await Promise.all([clearCassandra(engines), clearRabbitmq(engines)])
    expect(await leftoversOf(servers, name)).toEqual([])
  })

  it('explains in a line which server does not work', async () => {
    const nowhere = { cassandra: { ...servers.cassandra, contactPoints: ['127.0.0.1:1'] }, amqp: servers.amqp }
    const running = launch(nowhere, scratch, '--plain')
    expect(await running.ended).toBe(2)
    expect(running.stderr).toMatch(/^CASSANDRA_CONTACT_POINTS is 127\.0\.0\.1:1, where no Cassandra can be used: [^\n]*\n$/)
  })

  it('reports killed workers, counts unfinished tasks as lost, and names the folder of the logs', async () => {
    const running = start('--plain', '--silence', '5000')
    // The first workers have to be ready: a run without them does not start.
    for (const words of [/worker-1, process \d+: ready/, /worker-2, process \d+: ready/, /started on worker/]) await said(running, words)
    // All workers: a worker that is left would run the tasks of the other one.
    const workers = workersOf(running)
    for (const pid of workers) process.kill(pid, 'SIGKILL')
    const code = await running.ended
    expect(code).toBe(1)
    for (const pid of workers) expect(running.stdout).toContain(`, process ${pid}: gone: SIGKILL`)
    expect(running.stdout).toMatch(/\ncluster: 13 submitted, .*, [1-9]\d* lost, \d processes, [\d.]+ s\n$/)
    const [, logs = ''] = /^The logs of all processes are in (.*)$/m.exec(running.stderr) ?? []
    expect(readdirSync(logs)).toEqual(expect.arrayContaining(['front-end.log', 'worker-1.log', 'worker-2.log']))
    const written = ['worker-1', 'worker-2'].map((worker) => readFileSync(join(logs, `${worker}.log`), 'utf8')).join('')
    for (const pid of workers) expect(written).toContain(`"pid":${pid}`)
  })
})
