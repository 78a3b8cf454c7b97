import type { RuleResult, RuleStatus } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import { LiveReport } from '../../src/reports/live.ts'

/** A screen that keeps what is written, and a clock that the test moves. */
const stage = (terminal: { readonly isTTY?: boolean; readonly columns?: number } = {}) => {
  const time = { ms: 0 }
  const written: string[] = []
  const live = new LiveReport({ ...terminal, write: (text) => written.push(text), hasColors: () => true }, () => time.ms)
  const began = (id: string): void => live.hear({ type: 'rule began', id, kind: 'plain', title: `${id} holds` })
  const step = (id: string, name: string, boundMs = 60_000, awaited: readonly string[] = []): void =>
    live.hear({ type: 'step began', id, step: name, boundMs, awaited: () => awaited })
  const ended = (id: string, status: RuleStatus, ms = 0, message?: string): RuleResult => {
    const result = { id, kind: 'plain', title: `${id} holds`, status, ms, ...(message === undefined ? {} : { message }) } as const
    live.hear({ type: 'rule ended', result })
    return result
  }
  return { live, time, written, began, step, ended, take: () => written.splice(0).join('') }
}

describe('a live report in a log', () => {
  it('has a line for each rule as it ends, with the reason where it does not hold', () => {
    const { live, began, ended, take } = stage()
    live.begin('sample (engine 1.0)', ['S-1', 'S-10'])
    began('S-1')
    const first = ended('S-1', 'passed', 12)
    expect(take()).toBe('sample (engine 1.0): 2 rules\n  S-1   passed     S-1 holds (12 ms)\n')
    began('S-10')
    const second = ended('S-10', 'failed', 3, 'two writers won\nSeed: 7')
    live.end('sample (engine 1.0)', [first, second])
    expect(take()).toBe(
      '  S-10  failed     S-10 holds (3 ms)\n      two writers won\n      Seed: 7\nsample (engine 1.0): 1 passed, 1 failed\n\n',
    )
  })

  it('names a step that takes long, after 10 s, 20 s and 40 s', () => {
    const { live, time, began, step, take } = stage()
    live.begin('sample', ['S-1'])
    began('S-1')
    step('S-1', 'dispose')
    take()
    const told: string[] = []
    for (time.ms = 0; time.ms < 60_000; time.ms += 1_000) {
      live.tick()
      told.push(take())
    }
    expect(told.join('')).toBe(
      '  … S-1 "dispose" for 10 s of 60 s\n  … S-1 "dispose" for 20 s of 60 s\n  … S-1 "dispose" for 40 s of 60 s\n',
    )
  })

  it('says what a rule waits for that takes long', () => {
    const { live, time, began, step, take } = stage()
    began('S-1')
    step('S-1', 'rule', 300_000, ['the history can be read, after cut 3 of 20'])
    time.ms = 11_000
    live.tick()
    expect(take()).toBe('  … S-1 for 11 s: waits until the history can be read, after cut 3 of 20\n')
  })
})

describe('a live report on a terminal', () => {
  it('has a line of what runs, which goes away before the next line', () => {
    const { live, time, began, step, ended, take } = stage({ isTTY: true, columns: 60 })
    live.begin('sample', ['S-1', 'S-2', 'S-3'])
    for (const id of ['S-1', 'S-2']) began(id)
    step('S-1', 'restart', 120_000)
    time.ms = 2_000
    step('S-2', 'rule')
    time.ms = 5_000
    take()
    live.tick()
    expect(take()).toBe('0 of 3 · S-1 "restart" for 5 s of 120 s · S-2 for 3 s')
    ended('S-1', 'passed')
    expect(take()).toBe('\r\u001b[2K  S-1  \u001b[32mpassed   \u001b[39m  S-1 holds (0 ms)\n')
    step('S-2', 'rule', 300_000, ['a message that was rejected comes back to the queue'])
    live.tick()
    expect(take()).toBe('1 of 3 · S-2 for 0 s: waits until a message that was rejec…')
  })
})

describe('the summary', () => {
  it('has the rules that do not hold, and the slowest with their steps', () => {
    const { live, time, began, step, ended } = stage()
    for (const id of ['S-1', 'S-2', 'S-3', 'S-4', 'S-5', 'S-6', 'S-7']) {
      began(id)
      step(id, 'open')
      time.ms += 1_500
      step(id, 'rule')
      time.ms += 500
      step(id, 'restart')
      time.ms += 4_000
      step(id, 'rule')
      time.ms += 500
      step(id, 'dispose')
      time.ms += 10
      ended(id, id === 'S-3' ? 'failed' : 'passed', Number(id.slice(2)) * 1_000)
    }
    const parts = '(open 1.5 s, rule 1.0 s, restart 4.0 s)'
    expect(live.summary()).toBe(
      [
        'These rules do not hold, or could not be tried:',
        '  S-3  failed  S-3 holds',
        'The slowest rules:',
        ...[7, 6, 5, 4, 3].map((index) => `  S-${index}    ${index}.0 s  S-${index} holds ${parts}`),
        '',
      ].join('\n'),
    )
  })

  it('counts the rules that were not tried', () => {
    const { live, ended } = stage()
    for (const id of ['S-1', 'S-2']) ended(id, 'error', 0, 'Not tried: the harness hung before')
    expect(live.summary()).toBe('Not tried, since the harness hung: 2 rules\n')
  })

  it('is empty where all rules are quick and hold', () => {
    const { live, began, ended } = stage()
    began('S-1')
    ended('S-1', 'passed', 5)
    expect(live.summary()).toBe('')
  })
})
