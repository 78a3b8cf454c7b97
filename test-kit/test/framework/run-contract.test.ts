import { setTimeout as sleep } from 'node:timers/promises'
import type { Contract, Harness, Report, Rule, RuleContext, RuleResult, Subject } from '@taskledger/test-kit'
import { formatReport, formatTable, notShownReasons, runContract, toJUnit } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'

interface Port {
  close(): Promise<void>
}

const port = (): Port => ({ close: async () => {} })

const ruleOf = (id: string, run: (context: RuleContext<Port>) => Promise<void>, rest: Partial<Rule<Port>> = {}): Rule<Port> => ({
  id,
  kind: 'plain',
  title: `rule ${id} holds`,
  hint: 'look closer',
  run,
  ...rest,
})

const contractOf = (rules: readonly Rule<Port>[], harness: Partial<Harness<Port>> = {}): Contract<Port> => ({
  name: 'sample',
  harness: { name: 'engine 1.0', open: async () => ({ port: port(), peer: async () => port() }), ...harness },
  rules,
})

const resultOf = async (rule: Rule<Port>, harness: Partial<Harness<Port>> = {}): Promise<RuleResult> => {
  const { results } = await runContract(contractOf([rule], harness))
  const result = results[0]
  if (result === undefined) throw new Error('no result')
  return result
}

const holds = ruleOf('S-1', async () => {})
const breaks = ruleOf('S-2', async ({ observe }) => {
  observe({ seen: 'a history' })
  throw new Error('two writers won')
})

describe('a rule', () => {
  it('that holds has passed', async () => {
    expect(await resultOf(holds)).toMatchObject({ id: 'S-1', status: 'passed' })
  })

  it('that does not hold says which, why, what was seen, the hint, the state of the engine and the seed', async () => {
    const { results, ok } = await runContract(
      contractOf([breaks], { open: async () => ({ port: port(), peer: async () => port(), inspect: () => ({ rows: 7 }) }) }),
      { seed: 42 },
    )
    expect(ok).toBe(false)
    expect(results[0]?.status).toBe('failed')
    for (const part of ['[S-2] rule S-2 holds (engine 1.0)', 'two writers won', 'a history', 'Hint: look closer', 'rows: 7', 'Seed: 42'])
      expect(results[0]?.message).toContain(part)
  })

  it('that waits in vain says what did not happen', async () => {
    const waiting = ruleOf('S-3', ({ waitUntil }) => waitUntil('the message came back', () => false))
    expect((await resultOf(waiting, { timing: { deadlineMs: 20 } })).message).toContain(
      'Timed out after 20 ms waiting until the message came back',
    )
    const hanging = ruleOf('S-4', ({ within }) => within('the call ended', new Promise(() => {})))
    expect((await resultOf(hanging, { timing: { deadlineMs: 20 } })).message).toContain('waiting until the call ended')
  })

  it('that never ends is ended', async () => {
    expect(
      await resultOf(
        ruleOf('S-5', () => new Promise(() => {})),
        { timing: { deadlineMs: 5 } },
      ),
    ).toMatchObject({ status: 'failed' })
  })

  it('that leaves a rejection behind fails, and no other that runs beside it', async () => {
    const careless = ruleOf('S-6', async () => void Promise.reject(new Error('left behind')))
    const late = ruleOf('S-10', async () => {
      setTimeout(() => void Promise.reject(new Error('left behind later')), 5)
      await sleep(20)
    })
    const beside = ['S-11', 'S-12'].map((id) => ruleOf(id, () => sleep(30)))
    const { results } = await runContract(contractOf([careless, late, ...beside]))
    expect(results.map(({ status }) => status)).toEqual(['failed', 'failed', 'passed', 'passed'])
    expect(results[0]?.message).toContain('left behind')
    expect(results[1]?.message).toContain('left behind later')
  })

  it('leaves what belongs to no rule to the report', async () => {
    const fromElsewhere = (): Promise<void> => Promise.reject(new Error('the pool broke'))
    let breakPool = (): void => {}
    void new Promise<void>((resolve) => (breakPool = resolve)).then(fromElsewhere)
    const breaker = ruleOf('S-13', async () => {
      breakPool()
      await sleep(20)
    })
    const { results, ok } = await runContract(contractOf([breaker, ruleOf('S-14', () => sleep(30))]))
    expect(ok).toBe(false)
    expect(results.map(({ status }) => status)).toEqual(['passed', 'passed', 'failed'])
    expect(results[2]).toMatchObject({ id: 'unhandled', message: expect.stringContaining('S-13, S-14') as string })
    expect(results[2]?.message).toContain('the pool broke')
  })

  it('is not told of again by what it left behind when it failed', async () => {
    const gate = Promise.withResolvers<void>()
    const told = new Promise((resolve) => process.once('unhandledRejection', resolve))
    const leaver = ruleOf('S-20', async () => {
      void gate.promise.then(() => {
        throw new Error('left behind')
      })
      throw new Error('broken')
    })
    const other = ruleOf('S-21', async () => {
      // The first one is over.
      await sleep(20)
      gate.resolve()
      await told
    })
    const { results } = await runContract(contractOf([leaver, other]))
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ['S-20', 'failed'],
      ['S-21', 'passed'],
    ])
  })

  it('is an error, no failure, where the subject cannot be opened or put away', async () => {
    const closed = { open: () => Promise.reject(new Error('no server')) }
    expect(await resultOf(holds, closed)).toMatchObject({ status: 'error', message: expect.stringContaining('no server') as string })
    const stuck = {
      open: async () => ({ port: port(), peer: async () => port(), [Symbol.asyncDispose]: () => Promise.reject(new Error('cannot go')) }),
    }
    expect(await resultOf(holds, stuck)).toMatchObject({ status: 'error', message: expect.stringContaining('cannot go') as string })
    expect(await resultOf(breaks, stuck)).toMatchObject({ status: 'failed' })
  })

  it('is an error where opening does not end, or the kit itself goes wrong', async () => {
    const hanging = { open: () => new Promise<Subject<Port>>(() => {}), timing: { deadlineMs: 2 } }
    expect(await resultOf(holds, hanging)).toMatchObject({
      status: 'error',
      message: expect.stringContaining('failed to open the subject') as string,
    })
    let disposed = false
    const subject = { port: port(), peer: async () => port(), [Symbol.asyncDispose]: async () => void (disposed = true) }
    const confused = ruleOf('S-15', async () => {}, {
      notShown() {
        throw new Error('no idea')
      },
    })
    expect(await resultOf(confused, { open: async () => subject })).toMatchObject({
      status: 'error',
      message: expect.stringContaining('no idea') as string,
    })
    expect(disposed).toBe(true)
  })

  it('is given a subject that is of a class just as well', async () => {
    class Engine implements Subject<Port> {
      readonly #rows: string[] = []
      readonly port = port()
      async peer(): Promise<Port> {
        this.#rows.push('peer')
        return port()
      }
      async inject(_bytes: Uint8Array, where: string): Promise<void> {
        this.#rows.push(where)
      }
      inspect(): readonly string[] {
        return this.#rows
      }
    }
    const rule = ruleOf('S-16', async ({ peer, inject, inspect }) => {
      await peer()
      await inject?.(new Uint8Array(), 'row')
      throw new Error(`rows: ${String(inspect?.())}`)
    })
    expect((await resultOf(rule, { open: async () => new Engine() })).message).toContain('rows: peer,row')
  })

  it('that cannot be shown says why, and is not run', async () => {
    const result = await resultOf({ ...breaks, notShown: () => 'the harness has no fault "cut"' })
    expect(result).toMatchObject({ status: 'not shown', message: 'the harness has no fault "cut"' })
  })

  it('has a namespace of its own, and the chances of its seed', async () => {
    const namespaces: string[] = []
    const chances: number[] = []
    const rule = ruleOf('S-7', async ({ random }) => void chances.push(random()))
    const harness: Partial<Harness<Port>> = {
      async open({ namespace }) {
        namespaces.push(namespace)
        return { port: port(), peer: async () => port() }
      },
    }
    for (const seed of [1, 1, 2]) await runContract(contractOf([rule], harness), { seed })
    expect(new Set(namespaces).size).toBe(3)
    expect(chances[0]).toBe(chances[1])
    expect(chances[0]).not.toBe(chances[2])
  })

  it('has its clients closed', async () => {
    let open = 0
    const client = (): Port => {
      open++
      return { close: async () => void open-- }
    }
    const rule = ruleOf('S-8', async ({ peer }) => {
      await peer()
      await peer()
      throw new Error('whatever comes')
    })
    await resultOf(rule, { open: async () => ({ port: port(), peer: async () => client() }) })
    expect(open).toBe(0)
  })
})

describe('a report', () => {
  const notShown = { ...holds, id: 'S-9', notShown: () => 'no <hook> & "such"' }

  const report = (): Promise<Report> => runContract(contractOf([holds, breaks, notShown]), { seed: 7 })

  it('is for people: the counts first, what was not shown and why', async () => {
    const text = formatReport(await report())
    expect(text).toContain('sample (engine 1.0): 1 passed, 1 failed, 1 not shown')
    expect(text).toContain('no <hook> & "such"')
  })

  it('is for machines: JUnit', async () => {
    const xml = toJUnit([await report()])
    expect(xml).toContain('tests="3" failures="1" errors="0" skipped="1"')
    expect(xml).toContain('no &lt;hook&gt; &amp; &quot;such&quot;')
    const odd = ruleOf('S-18', () => Promise.reject(new Error('\u0000 \u001b \ud800 😀')))
    expect(toJUnit([await runContract(contractOf([odd]))])).toContain('\ufffd \ufffd \ufffd 😀')
  })

  it('is for pages: a table of all rules, with a column for each engine, and why what was not shown', async () => {
    const other = { ...(await runContract(contractOf([holds]), { seed: 7 })), subject: 'engine | 2.0' }
    const text = formatTable([await report(), other])
    expect(text).toContain('| sample | engine 1.0 | 1 passed, 1 failed, 1 not shown |')
    expect(text).toContain('| Rule | It says | engine 1.0 | engine \\| 2.0 |')
    expect(text).toContain(`| ${holds.id} | ${holds.title} | holds | holds |`)
    expect(text).toMatch(/\| S-9 \| .* \| not shown \|  \|/)
    expect(text).toContain('- S-9 on engine 1.0 is not shown: no <hook> & "such"')
  })

  it('can be limited to some rules', async () => {
    const { results } = await runContract(contractOf([holds, breaks]), { only: ['S-1'] })
    expect(results.map(({ id }) => id)).toEqual(['S-1'])
  })

  it('comes from rules that run side by side, so many at a time', async () => {
    let running = 0
    let most = 0
    const rules = Array.from({ length: 10 }, (_, index) =>
      ruleOf(`P-${index}`, async () => {
        most = Math.max(most, ++running)
        await sleep(1)
        running--
      }),
    )
    await runContract(contractOf(rules), { concurrency: 3 })
    expect(most).toBe(3)
  })

  it('comes from rules that make the engine suffer one by one, after the others', async () => {
    const ran: string[] = []
    const rules = (['fault', 'plain', 'fault', 'race'] as const).map((kind, index) =>
      ruleOf(
        `F-${index}`,
        async () => {
          ran.push(`${kind} begins`)
          await sleep(1)
          ran.push(`${kind} ends`)
        },
        { kind },
      ),
    )
    const { results } = await runContract(contractOf(rules))
    expect(results.map(({ kind }) => kind)).toEqual(['fault', 'plain', 'fault', 'race'])
    expect(ran.slice(4)).toEqual(['fault begins', 'fault ends', 'fault begins', 'fault ends'])
  })
})

describe('notShownReasons', () => {
  it('finds out what cannot be shown, and puts the subject away', async () => {
    let open = 0
    const harness: Partial<Harness<Port>> = {
      async open() {
        open++
        return { port: port(), peer: async () => port(), [Symbol.asyncDispose]: async () => void open-- }
      },
    }
    const reasons = await notShownReasons(contractOf([holds, { ...holds, id: 'S-17', notShown: () => 'no such hook' }], harness))
    expect([...reasons]).toEqual([['S-17', 'no such hook']])
    expect(open).toBe(0)
  })
})
