import assert from 'node:assert/strict'
import type { EventBus } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { expectHeard, hasHeard, lastNotice, listenOn, publishUntilAccepted } from './hearing.ts'

const utf8 = new TextEncoder()

/** Bytes that no codec writes. */
const junk: readonly Uint8Array[] = [
  new Uint8Array(),
  new Uint8Array([0xff, 0xfe, 0x00, 0x80, 0xc3]),
  ...['not JSON', 'null', '[]', '"text"', '{}', '{"v":1}', '{"v":1,"taskId":"x","version":"1","type":1}', '[{}]', '{"v":1,'].map((text) =>
    utf8.encode(text),
  ),
]

export const faultRules: readonly Rule<EventBus>[] = [
  {
    id: 'EB-2.1',
    kind: 'fault',
    title: 'after a cut the gap listeners are called, and notices flow again',
    hint: 'declare and consume first, then call the gap listeners: a client that reads before it listens misses the notices in between',
    notShown: ({ port, faults }) => {
      if (!port.capabilities.crossesProcesses) return 'the capability crossesProcesses is false'
      return faults?.cut === undefined ? 'the harness has no fault "cut"' : undefined
    },
    run: async (context) => {
      const { port, peer, faults, waitUntil } = context
      const other = await peer()
      const clients = [port, other].map((client) => ({ client, ear: listenOn(client), gaps: 0 }))
      let silenced = 0
      const silence = port.onGap(() => silenced++)
      for (const each of clients) {
        each.client.onGap(() => {
          throw new Error('thrown by a gap listener on purpose')
        })
        each.client.onGap(() => each.gaps++)
      }
      const ears = clients.map(({ ear }) => ear)
      await lastNotice(context, port, ears)
      silence()
      silence()
      for (let round = 1; round <= 2; round++) {
        const before = clients.map(({ gaps }) => gaps)
        await faults.cut()
        await waitUntil('the gap listeners of both clients are called', () =>
          clients.every(({ gaps }, index) => gaps > (before[index] ?? 0)),
        )
        // A client that reports a gap listens again, so it must not miss a notice that is published from now on.
        for (const { client } of clients) {
          const notice = await publishUntilAccepted(context, client)
          await waitUntil('both clients hear a notice that was published after the gap', () => ears.every((ear) => hasHeard(ear, notice)))
        }
      }
      assert.equal(silenced, 0, 'a removed gap listener is not called')
    },
  },
  {
    id: 'EB-2.2',
    kind: 'plain',
    title: 'malformed messages reach no listener and do not stop the bus',
    hint: 'decode in a try; skip and log a message that cannot be decoded',
    notShown: ({ inject }) => (inject === undefined ? 'the harness has no hook to inject bytes' : undefined),
    run: async (context) => {
      const { port, peer, inject } = context
      const ears = [listenOn(port), listenOn(await peer())]
      const first = await lastNotice(context, port, ears)
      for (const bytes of junk) await inject?.(bytes, '')
      const last = await lastNotice(context, port, ears)
      for (const ear of ears) expectHeard(ear, [first, last])
    },
  },
]
