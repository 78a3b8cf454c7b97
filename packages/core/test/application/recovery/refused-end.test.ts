import { TaskledgerError } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import { Stage } from './stage.ts'

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
    expect(node.logged.filter(({ level, message }) => level === 'error' && /end of an attempt/.test(message))).toHaveLength(2)
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
})
