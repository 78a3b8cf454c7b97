import { defineTask } from '@taskledger/core'
import { TaskledgerError } from '@taskledger/core/ports'
import type { Call } from '@taskledger/test-kit/faults'
import { calls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const notPermitted = ({ name }: Call): Error => new TaskledgerError('MISCONFIGURED', `${name} is not permitted`)

describe('a store that refuses what a node has to write, until somebody mends it', () => {
  it('has the end of an attempt as soon as it takes it, though its node lives on', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    await cluster.node()
    const [task, body] = await cluster.start(node)
    node.faults.fail('before', calls('events.append'), notPermitted)
    body.return('done')
    await cluster.advance(60_000)
    expect(
      node.logged.filter(({ level, message }) => level === 'error' && /the end of an attempt|instead of an end/.test(message)),
    ).toHaveLength(2)
    node.faults.heal()
    await cluster.until('the end was not written', async () => (await cluster.history(task)).length === 3)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Completed'])
    expect(await cluster.row(task)).toMatchObject({ status: 'completed' })
  })

  it('has the row of the end in time, though its node lives on', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [task, body] = await cluster.start(node)
    node.faults.fail('before', calls('listing.save'), notPermitted)
    body.return('done')
    await cluster.advance(1_000)
    node.faults.heal()
    await cluster.until('the row was left behind', async () => (await cluster.row(task))?.status === 'completed', 3_600_000)
  })

  it('has a claim handed back, uncounted, of which it could not tell that it stands', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const other = await cluster.node()
    other.manager.worker?.pause()
    let isRefusing = false
    const isAppend = calls('events.append')
    node.faults.fail('after', (call) => isAppend(call) && !isRefusing && (isRefusing = true))
    node.faults.fail('before', (call) => isAppend(call) && isRefusing, notPermitted)
    const task = await other.manager.submit(cluster.held().task, null)
    await cluster.advance(0)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started'])
    await cluster.advance(60_000)
    expect(cluster.runs).toEqual([])
    node.faults.heal()
    await cluster.untilRunning(task, 2)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Released', 'Started'])
    cluster.run(task).return('done')
  })

  it('has an attempt handed back, uncounted, of which it did not take that nobody can decode its task', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ worker: { unknownTasks: { maxReleases: 0 } } })
    const odd = defineTask({ type: 'odd', run: () => {} })
    const front = await cluster.node({ tasks: [odd], worker: false })
    let appends = 0
    node.faults.fail('before', ({ name }) => name === 'events.append' && ++appends > 1, notPermitted)
    const task = await front.manager.submit(odd)
    await cluster.advance(60_000)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started'])
    node.faults.heal()
    await cluster.until('it did not fail', async () => (await cluster.eventTypes(task)).includes('Failed'))
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Released', 'Started', 'Failed'])
  })
})
