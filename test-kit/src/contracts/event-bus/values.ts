import type { EventBus, TaskNotice } from '@taskledger/core/ports'
import { taskStatuses } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { drawTaskId } from '../sample-data.ts'
import { expectHeard, lastNotice, listenOn, noticesWith, noticeWith, sameNotices } from './hearing.ts'

const types: readonly TaskNotice['type'][] = [
  'TaskCreated',
  'TaskStarted',
  'TaskCancelRequested',
  'TaskCompleted',
  'TaskFailed',
  'TaskCancelled',
  'TaskDied',
  'TaskReleased',
  'TaskProgress',
]

export const valueRules: readonly Rule<EventBus>[] = [
  {
    id: 'EB-3.1',
    kind: 'plain',
    title: 'notices of every type and status arrive equal, whatever the name of their node',
    hint: 'send JSON text in UTF-8 (the codec of core does it)',
    run: async (context) => {
      const { port, random } = context
      const notices = [
        ...types.map((type) => noticeWith(random, { type, version: 1 })),
        ...taskStatuses.map((status) => noticeWith(random, { status, version: 1_000_000 })),
        ...['', 'Köln 日本 👩‍👩‍👧‍👦 "quoted" \\ \u0000', 'x'.repeat(1_000)].map((node) => noticeWith(random, { node })),
      ]
      const ears = [listenOn(port), listenOn(await context.peer())]
      for (const notice of notices) await port.publish([notice])
      const last = await lastNotice(context, port, ears)
      expectHeard(ears, [...notices, last])
    },
  },
  {
    id: 'EB-3.2',
    kind: 'plain',
    title: 'a large batch arrives whole, an empty batch does nothing, and one task may have several notices in a batch',
    hint: 'split a batch that does not fit into one message of the engine, and keep the order',
    run: async (context) => {
      const { port, random, waitUntil } = context
      const ears = [listenOn(port), listenOn(await context.peer())]
      const taskId = drawTaskId(random)
      const ofOneTask = [1, 2, 3, 4].map((version) => noticeWith(random, { taskId, version }))
      const batches = [[], ofOneTask, [], noticesWith(random, 2_000, { node: 'worker-'.repeat(20) })]
      for (const batch of batches) await port.publish(batch)
      await waitUntil('every listener hears all 2,004 notices', () => ears.every(({ heard }) => heard.length >= 2_004))
      for (const [index, { heard }] of ears.entries()) sameNotices(heard, batches.flat(), `listener ${index + 1} of ${ears.length}`)
    },
  },
  {
    id: 'EB-3.3',
    kind: 'plain',
    title: 'a publisher or a listener that changes a notice does not change it for others',
    hint: 'give each listener a copy of its own',
    run: async (context) => {
      const { port, random } = context
      port.subscribe((notice) => void Object.assign(notice, { node: 'spoilt' }))
      const ear = listenOn(port)
      const notice = noticeWith(random)
      const given = { ...notice }
      const publishing = port.publish([given])
      await publishing
      Object.assign(given, { node: 'spoilt' })
      const last = await lastNotice(context, port, [ear])
      expectHeard([ear], [notice, last])
    },
  },
]
