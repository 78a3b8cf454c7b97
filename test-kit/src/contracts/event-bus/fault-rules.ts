import assert from 'node:assert/strict'
import type { EventBus } from '@taskledger/core/ports'
import type { Rule } from '../../rule.ts'
import { hasHeardJust, lastNotice, listenOn, publishUntilHeard } from './hearing.ts'

const utf8 = new TextEncoder()

/** What no codec writes. */
const junk: readonly Uint8Array[] = [
  new Uint8Array(),
  new Uint8Array([0xff, 0xfe, 0x00, 0x80, 0xc3]),
  ...['not JSON', 'null', '[]', '"text"', '{}', '{"v":1}', '{"v":1,"taskId":"x","version":"1","type":1}', '[{}]', '{"v":1,'].map((text) => utf8.encode(text)),
]

export const faultRules: readonly Rule<EventBus>[] = [
  {
    id: 'EB-2.1',
    level: 'must',
    kind: 'fault',
    title: 'after a cut the gap listeners are called, and notices flow again',
    hint: 'declare and consume first, then tell of the gap: who reads again before listening works misses what happens in between',
    notShown: ({ port, faults }) => {
      if (!port.capabilities.crossesProcesses) return 'the capability crossesProcesses is false'
      return faults?.cut === undefined ? 'the harness has no fault "cut"' : undefined
    },
    run: async (context) => {
      const { port, peer, faults, waitUntil } = context
      const other = await peer()
      const ear = listenOn(port)
      const far = listenOn(other)
      let [gaps, silenced] = [0, 0]
      const silence = port.onGap(() => silenced++)
      port.onGap(() => {
        throw new Error('thrown by a gap listener, as the rule wants it')
      })
      port.onGap(() => gaps++)
      await lastNotice(context, port, [ear, far])
      silence()
      silence()
      for (let round = 1; round <= 2; round++) {
        const before = gaps
        await faults.cut()
        await waitUntil('the gap listener is called', () => gaps > before)
        // What others publish once the gap has been told must not be missed, so the first that is taken has to be heard.
        await publishUntilHeard(context, other, ear)
        await publishUntilHeard(context, port, far)
      }
      assert.equal(silenced, 0, 'a gap listener that was taken out is not called')
    },
  },
  {
    id: 'EB-2.2',
    level: 'must',
    kind: 'plain',
    title: 'malformed messages reach no listener and do not stop the bus',
    hint: 'decode inside a try; what cannot be decoded is skipped, and logged',
    notShown: ({ inject }) => (inject === undefined ? 'the harness has no hook to inject bytes' : undefined),
    run: async (context) => {
      const { port, peer, inject } = context
      const ears = [listenOn(port), listenOn(await peer())]
      const first = await lastNotice(context, port, ears)
      for (const bytes of junk) await inject?.(bytes, '')
      const last = await lastNotice(context, port, ears)
      for (const ear of ears) hasHeardJust(ear, [first, last])
    },
  },
]
