import { defineTask } from '@taskledger/core'
import type { SubmitOptions } from '@taskledger/core'
import type { TaskId } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import type { StagedNode } from '../stage.ts'
import { Stage } from '../stage.ts'

const front = { worker: false } as const
const failsToSave = (call: string): boolean => call === 'storage.listing.save'

/** Well under the five minutes after which everything is looked at anyway. */
const soonMs = 60_000

/** A task that ran on a node that has died since. Everybody has looked at what it ran, and no row said so. */
const overlooked = async (stage: Stage, submitter: StagedNode, options: SubmitOptions = {}): Promise<{ readonly id: TaskId }> => {
  const victim = await stage.node()
  const heir = await stage.node()
  heir.manager.worker?.pause()
  await stage.advance(20_000)
  victim.fails = failsToSave
  submitter.manager.submit(stage.held(''), null, options).catch(() => {})
  await stage.until('it does not run', () => stage.bodies.length === 1)
  victim.kill()
  await stage.advance(22_000)
  // Its death, too, makes everybody look.
  submitter.kill()
  await stage.advance(40_000)
  heir.manager.worker?.resume()
  return { id: stage.bodies[0]?.taskId as TaskId }
}

describe('a row that says only late that a task runs on a node that is dead', () => {
  it('is seen to by who submits the task again', async () => {
    await using stage = new Stage()
    const submitter = await stage.node(front)
    const again = await stage.node(front)
    submitter.fails = failsToSave
    const key = { idempotencyKey: 'one' }
    const task = await overlooked(stage, submitter, key)
    expect(await stage.row(task)).toBe(undefined)
    await again.manager.submit(stage.held(''), null, key)
    expect(await stage.row(task)).toMatchObject({ status: 'inProgress' })
    await stage.runs(task, 2, soonMs)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('is seen to by who is handed its message again', async () => {
    await using stage = new Stage()
    const submitter = await stage.node(front)
    submitter.fails = failsToSave
    const task = await overlooked(stage, submitter)
    const { messaging } = await stage.node(front)
    await messaging.queue.send('default', { taskId: task.id, version: 1, sentAt: stage.clock.now() })
    await stage.runs(task, 2, soonMs)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('is seen to by who makes the listing anew', async () => {
    await using stage = new Stage()
    const submitter = await stage.node(front)
    const again = await stage.node(front)
    submitter.fails = failsToSave
    const task = await overlooked(stage, submitter)
    await again.manager.rebuildListing()
    await stage.runs(task, 2, soonMs)
  })

  it('is seen to by who wishes the task to end', async () => {
    await using stage = new Stage()
    const submitter = await stage.node(front)
    const again = await stage.node(front)
    submitter.fails = failsToSave
    const task = await overlooked(stage, submitter)
    expect(await again.manager.task(task.id).cancel()).toMatchObject({ outcome: 'requested' })
    await stage.until('it was not cancelled', async () => (await stage.row(task))?.status === 'cancelled', soonMs)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'CancelRequested', 'Died', 'Cancelled'])
  })
})

describe('a row that says that a task runs on a node that lives, whose attempt was ended elsewhere', () => {
  it('is seen to by that node, where whoever ended the attempt died before he could', async () => {
    await using stage = new Stage()
    const cutOff = await stage.node()
    const judge = await stage.node(front)
    await stage.advance(20_000)
    const [task] = await stage.start(cutOff)
    cutOff.fails = (call) => call.startsWith('storage.')
    judge.losesAnswer = (call) => {
      if (call === 'storage.events.append') judge.kill()
      return false
    }
    await stage.until('nobody declared it dead', async () => (await stage.told(task)).includes('Died'))
    cutOff.fails = () => false
    await stage.runs(task, 2, soonMs)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })
})

describe('a node that came and died while another did not see the registry', () => {
  it('has its tasks run again as soon, those of whatever shard', async () => {
    await using stage = new Stage()
    const blind = [await stage.node(front), await stage.node(front)]
    await stage.advance(40_000)
    for (const node of blind) node.fails = (call) => call.startsWith('storage.nodes.')
    const victim = await stage.node()
    const [task] = await stage.start(victim)
    victim.kill()
    await stage.advance(25_000)
    for (const node of blind) node.fails = () => false
    await stage.node()
    await stage.runs(task, 2, soonMs)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })
})

describe('a submit that was not acknowledged', () => {
  it('leaves a task that is listed as soon as the listing takes it', async () => {
    await using stage = new Stage()
    const node = await stage.node(front)
    node.fails = failsToSave
    const later = defineTask({ type: 'held', run: () => {} })
    const submitted = node.manager.submit(later, undefined, { notBefore: stage.clock.now() + 3_600_000 }).catch((error: unknown) => error)
    await stage.advance(60_000)
    const { taskId } = (await submitted) as { readonly taskId: TaskId }
    expect(await stage.row({ id: taskId })).toBe(undefined)
    node.fails = () => false
    await stage.until('it is not listed', async () => (await stage.row({ id: taskId })) !== undefined)
  })
})
