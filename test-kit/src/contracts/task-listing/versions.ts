import type { TaskDetails, TaskListing } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
import { byId, listedBy, unfinishedOf } from './reading.ts'
import { detailsWith, leapDay, lifeOf, permutations, shuffled } from './sample-details.ts'

export const versionRules: readonly Rule<TaskListing>[] = [
  {
    id: 'TL-1.1',
    kind: 'race',
    title: 'an older version never overwrites a newer one, in any order and over two clients',
    hint: 'compare the versions in the same atomic step that writes, or let the engine order the writes by version',
    run: async ({ port, peer, random, observe }) => {
      const clients = [port, await peer()] as const
      const newest: TaskDetails[] = []
      const orders = permutations([0, 1, 2, 3])
      const saveAll = async (atOnce: boolean): Promise<void> => {
        for (const [index, order] of orders.entries()) {
          const life = lifeOf(random, leapDay + newest.length)
          const save = (version: number, turn: number): Promise<void> =>
            clients[(turn + index) % 2 === 0 ? 0 : 1].save(life[version] ?? life[0])
          if (atOnce) await Promise.all(order.map(save))
          else for (const [turn, version] of order.entries()) await save(version, turn)
          newest.push(life[3])
        }
      }
      await saveAll(false)
      await saveAll(true)
      for (const client of clients) {
        const listed = byId(await listedBy(client))
        observe(listed.filter(({ version }) => version !== 4))
        same(listed, byId(newest), 'the list after every order of saves')
        same(await unfinishedOf(client), [], 'the unfinished tasks after every task has ended')
      }
    },
  },
  {
    id: 'TL-1.2',
    kind: 'plain',
    title: 'a save of the same version changes nothing',
    hint: 'replace the row, do not add one; progress that was reported since has to survive a repeated save',
    run: async ({ port, peer, random }) => {
      const other = await peer()
      const [waiting, inProgress] = lifeOf(random)
      const progress = { attempt: 1, sequence: 3, at: leapDay + 5, value: { done: 3 } }
      await port.save(waiting)
      await port.save(inProgress)
      await port.saveProgress(inProgress, progress)
      const once = await listedBy(port)
      await other.save(inProgress)
      await port.save(inProgress)
      await Promise.all([port.save(inProgress), other.save(inProgress)])
      same(await listedBy(other), once, 'the list after repeated saves')
      same(once, [{ ...inProgress, progress }], 'the list after one save of each version')
      same(await unfinishedOf(other), once, 'the unfinished tasks after repeated saves')
      same(await other.progress(inProgress), progress, 'the saved progress after repeated saves')
    },
  },
  {
    id: 'TL-1.3',
    kind: 'plain',
    title: 'values that a later version no longer has are removed',
    hint: 'write every column with every save, the empty ones too; do not merge the new row into the old one',
    run: async ({ port, random }) => {
      const bare = detailsWith(random, { version: 3 })
      const full: TaskDetails = {
        ...bare,
        version: 2,
        labels: ['a', 'b'],
        dueAt: leapDay + 60_000,
        startedAt: leapDay + 1,
        node: 'worker-1',
        cancelRequestedAt: leapDay + 2,
        cancelRequestedBy: 'front-end',
        cancelReason: 'no longer needed',
        abandoned: true,
        finishedAt: leapDay + 3,
        result: { messages: 12 },
        error: { name: 'Error', message: 'no such mailbox', stack: 'Error: no such mailbox', code: 'ENOENT' },
        timeoutMs: 1_000,
        idempotencyKey: 'inbox',
        retryOf: detailsWith(random).taskId,
      }
      await port.save(full)
      same(await listedBy(port), [full], 'the list after a version with every value')
      await port.save(bare)
      same(await listedBy(port), [bare], 'the list after a later version without them')
      same(await unfinishedOf(port), [bare], 'the unfinished tasks after a later version without them')
      for (const filter of [{ node: 'worker-1' }, { label: 'a' }])
        same(await listedBy(port, filter), [], `the tasks by ${JSON.stringify(filter)}, which the later version no longer has`)
    },
  },
  {
    id: 'TL-1.4',
    kind: 'fault',
    title: 'a saved row survives a restart of the engine',
    hint: 'resolve a save only after the engine has made it durable',
    notShown: ({ port, faults }) => {
      if (port.capabilities.durability === 'none') return "the capability durability is 'none'"
      return faults?.restart === undefined ? 'the harness has no hook to restart the engine' : undefined
    },
    run: async ({ port, random, faults, waitUntil }) => {
      const saved = Array.from({ length: 20 }, (_, index) => detailsWith(random, { createdAt: leapDay - index }))
      await Promise.all(saved.map((details) => port.save(details)))
      await faults.restart()
      await waitUntil('the listing answers after the restart', () =>
        listedBy(port).then(
          () => true,
          () => false,
        ),
      )
      same(byId(await listedBy(port)), byId(saved), 'the list after the restart')
      same(await unfinishedOf(port), byId(saved), 'the unfinished tasks after the restart')
    },
  },
  {
    id: 'TL-1.5',
    kind: 'race',
    title: 'many saves of one task at once, over two clients, end at the highest version, and a resolved save is visible',
    hint: 'an adapter may drop a save for a newer one, but not for an older one, and must not resolve it before one of the two is written',
    run: async ({ port, peer, random, observe }) => {
      const clients = [port, await peer()] as const
      const lives = Array.from({ length: 3 }, (_, index) => {
        const first = detailsWith(random, { createdAt: leapDay + index })
        return Array.from({ length: 40 }, (_, version) => ({
          ...first,
          version: version + 1,
          updatedAt: leapDay + version,
        }))
      })
      const saves = lives
        .flat()
        .flatMap((details) => clients.map((client, index) => ({ details, client, other: clients[1 - index] ?? port })))
      const unseen: string[] = []
      const saveAndLook = async ({ details, client, other }: (typeof saves)[number]): Promise<void> => {
        await client.save(details)
        // Not after every save: while a client reads, its saves do not overtake one another.
        if (details.version % 5 > 0) return
        const row = (await listedBy(other)).find(({ taskId }) => taskId === details.taskId)
        if ((row?.version ?? 0) < details.version)
          unseen.push(`version ${details.version} was saved, and ${row?.version ?? 'none'} is listed`)
      }
      await Promise.all(shuffled(saves, random).map(saveAndLook))
      const highest = byId(lives.flatMap((life) => life.slice(-1)))
      observe(unseen)
      for (const client of clients) {
        same(byId(await listedBy(client)), highest, 'the list after many saves at once')
        same(await unfinishedOf(client), highest, 'the unfinished tasks after many saves at once')
      }
      same(unseen, [], 'the saves that had resolved and were not listed')
    },
  },
]
