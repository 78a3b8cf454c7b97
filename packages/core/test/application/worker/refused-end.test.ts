import { defineTask } from '@taskledger/core'
import { misconfigured } from '@taskledger/core/ports'
import type { Call } from '@taskledger/test-kit/faults'
import { calls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const notPermitted = ({ name }: Call): Error => misconfigured(`${name} is not permitted`)

describe('a store that refuses the appends and saves of a node until it is repaired', () => {
  it('gets the end of an attempt as soon as it accepts it, while the node lives on', async () => {
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
    await cluster.until('the end is written', async () => (await cluster.history(task)).length === 3)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Completed'])
    expect(await cluster.row(task)).toMatchObject({ status: 'completed' })
  })

  it('gets the row of the end in time, while the node lives on', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [task, body] = await cluster.start(node)
    node.faults.fail('before', calls('listing.save'), notPermitted)
    body.return('done')
    await cluster.advance(1_000)
    node.faults.heal()
    await cluster.until('the row shows the end', async () => (await cluster.row(task))?.status === 'completed', 3_600_000)
  })

  it('gets back, uncounted, a claim whose outcome it could not tell', async () => {
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

  it('gets back, uncounted, an attempt whose undecodable task it did not let fail', async () => {
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
    await cluster.until('the task has failed', async () => (await cluster.eventTypes(task)).includes('Failed'))
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Released', 'Started', 'Failed'])
  })
})
