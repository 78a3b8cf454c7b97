import type { Logger } from '@taskledger/core'
import { createTaskManager, defineTask } from '@taskledger/core'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

describe('a log line', () => {
  it('of a manager names its node, also that of a body', async () => {
    const lines: { readonly fields: object; readonly message: string }[] = []
    const note = (fields: object, message: string): void => void lines.push({ fields, message })
    const logger: Logger = { debug: note, info: note, warn: note, error: note }
    const greet = defineTask({ type: 'greet', run: ({ logger: own }) => own.info({ to: 'you' }, 'hello') })
    const manager = await createTaskManager({ tasks: [greet], name: 'greeter', logger })
    await (await manager.submit(greet)).finished()
    await manager.close()
    expect(lines.map(({ message }) => message)).toContain('hello')
    for (const { fields } of lines) expect(fields).toMatchObject({ node: manager.nodeId })
  })

  it('of a front-end whose lease is lost says nothing of tasks', async () => {
    await using cluster = new VirtualCluster()
    const frontEnd = await cluster.node({ worker: false })
    frontEnd.faults.fail('before', ({ name }) => name.startsWith('nodes.'))
    await cluster.advance(30_000)
    const told = frontEnd.logged.filter(({ message }) => message.includes('the lease')).map(({ level, message }) => `${level}: ${message}`)
    expect(told).toContain('warn: could not renew the lease in time: retrying')
    expect(told).toContain('warn: lost the lease: other nodes count this node as dead until it is renewed')
    expect(frontEnd.logged.filter(({ message }) => message.includes('tasks'))).toEqual([])
  })
})
