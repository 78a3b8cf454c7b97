import { defineTask } from '@taskledger/core'
import { TaskledgerError } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'

const refuse = (call: string) => (name: string) => {
  if (name === call) throw new TaskledgerError('MISCONFIGURED', `${call} is not permitted`)
  return false
}

describe('a store that refuses what a node has to write, until somebody mends it', () => {
  it('has the end of an attempt as soon as it takes it, though its node lives on', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    await stage.node()
    const [task, body] = await stage.start(node)
    node.fails = refuse('storage.events.append')
    body.return('done')
    await stage.advance(60_000)
    expect(
      node.logged.filter(({ level, message }) => level === 'error' && /the end of an attempt|instead of an end/.test(message)),
    ).toHaveLength(2)
    node.fails = () => false
    await stage.until('the end was not written', async () => (await stage.history(task)).length === 3)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Completed'])
    expect(await stage.row(task)).toMatchObject({ status: 'completed' })
  })

  it('has the row of the end in time, though its node lives on', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    const [task, body] = await stage.start(node)
    node.fails = refuse('storage.listing.save')
    body.return('done')
    await stage.advance(1_000)
    node.fails = () => false
    await stage.until('the row was left behind', async () => (await stage.row(task))?.status === 'completed', 3_600_000)
  })

  it('has a claim handed back, uncounted, of which it could not tell that it stands', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    const other = await stage.node()
    other.manager.worker?.pause()
    let isRefusing = false
    node.losesAnswer = (call) => call === 'storage.events.append' && !isRefusing && (isRefusing = true)
    node.fails = (call) => isRefusing && refuse('storage.events.append')(call)
    const task = await other.manager.submit(stage.held(''), null)
    await stage.advance(0)
    expect(await stage.told(task)).toEqual(['Created', 'Started'])
    await stage.advance(60_000)
    expect(stage.bodies).toEqual([])
    isRefusing = false
    node.losesAnswer = () => false
    await stage.runs(task, 2)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Released', 'Started'])
    stage.body(task).return('done')
  })

  it('has an attempt handed back, uncounted, of which it did not take that nobody can decode its task', async () => {
    await using stage = new Stage()
    const node = await stage.node({ worker: { unknownTasks: { maxReleases: 0 } } })
    const odd = defineTask({ type: 'odd', run: () => {} })
    const front = await stage.node({ tasks: [odd], worker: false })
    let appends = 0
    node.fails = (call) => call === 'storage.events.append' && ++appends > 1 && refuse(call)(call)
    const task = await front.manager.submit(odd)
    await stage.advance(60_000)
    expect(await stage.told(task)).toEqual(['Created', 'Started'])
    node.fails = () => false
    await stage.until('it did not fail', async () => (await stage.told(task)).includes('Failed'))
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Released', 'Started', 'Failed'])
  })
})
