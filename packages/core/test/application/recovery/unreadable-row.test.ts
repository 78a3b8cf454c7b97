import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const front = { worker: false } as const

/** Awaits a promise while time passes. */
const during = async <T>(cluster: VirtualCluster, promise: Promise<T>, ms = 1_000): Promise<T> => {
  const [value] = await Promise.all([promise, cluster.advance(ms)])
  return value
}

/** The beginning of a row, as a write that was cut off would leave it. */
const cutOff = '{"v":1,"taskId":'

describe('a row that cannot be read', () => {
  it('does not hide a task whose node has died: the task is looked after by its history, and its row is saved again', async () => {
    await using cluster = new VirtualCluster()
    const doomed = await cluster.node()
    const [task] = await cluster.start(doomed)
    cluster.memory.faults.injectRow(task.id, cutOff)
    const node = await cluster.node()
    await doomed.kill()
    await cluster.untilRunning(task, 2)
    expect(await cluster.row(task)).toMatchObject({ status: 'inProgress', attempt: 2 })
    cluster.run(task, 2).return('done')
    await cluster.advance(400_000)
    expect(node.manager.health().unreadable).toBe(0)
    expect(node.logged.filter(({ message }) => message.startsWith('found a row of the listing that cannot be read'))).toHaveLength(1)
  })

  it('is counted by health, and comes first in the report of the doctor', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    const nobodys = cluster.held({ queue: 'nobody' }).task
    const stuck = await node.manager.submitMany(nobodys, [1, 2, 3, 4, 5])
    const [whole, broken] = await node.manager.submitMany(nobodys, [6, 7])
    if (whole === undefined || broken === undefined) throw new Error('two handles were expected')
    cluster.memory.faults.injectRow(whole.id, cutOff)
    cluster.memory.faults.injectRow(broken.id, cutOff)
    cluster.memory.faults.injectEvent(broken.id, 'nonsense')
    await cluster.advance(400_000)
    expect(node.manager.health().unreadable).toBe(2)
    const all = await during(cluster, node.manager.doctor())
    expect(all.findings.slice(0, 2).map(({ kind, reason }) => `${kind} ${reason}`)).toEqual(Array(2).fill('unreadable rowUnreadable'))
    expect([all.findings.length, all.examined, all.isComplete]).toEqual([2 + stuck.length, 7, true])
    const findings = new Map(all.findings.map((finding) => [finding.taskId, finding]))
    expect(findings.get(whole.id)).toMatchObject({ type: 'held', why: expect.stringContaining('its history says waiting') as string })
    expect(findings.get(broken.id)).toMatchObject({ type: '', why: expect.stringContaining('nor its history: MALFORMED') as string })
    const two = await during(cluster, node.manager.doctor({ limit: 2 }))
    expect([two.findings.map(({ kind }) => kind), two.isComplete]).toEqual([['unreadable', 'unreadable'], false])
  })

  it('is named by a list, and left out of the iteration over all tasks', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    const [first, second] = await node.manager.submitMany(cluster.held().task, [1, 2])
    if (first === undefined || second === undefined) throw new Error('two handles were expected')
    cluster.memory.faults.injectRow(first.id, cutOff)
    const page = await node.manager.list()
    expect(page.tasks.map(({ taskId }) => taskId)).toEqual([second.id])
    expect(page.unreadable).toMatchObject([{ taskId: first.id }])
    const ids: string[] = []
    for await (const { taskId } of node.manager.tasks()) ids.push(taskId)
    expect(ids).toEqual([second.id])
  })
})
