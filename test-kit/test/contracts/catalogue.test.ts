import { readdirSync, readFileSync } from 'node:fs'
import type { TaskFactory } from '@taskledger/core'
import { defineTask } from '@taskledger/core'
import type { Harness } from '@taskledger/test-kit'
import * as kit from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'

interface Entry {
  readonly id: string
  readonly kind: string
  readonly title: string
}

const folder = new URL('../../../docs/contract/', import.meta.url)

/** The headings of a page, each with the sentence below it. */
const entriesOf = (page: string): readonly Entry[] =>
  [...page.matchAll(/^### (\S+) · (plain|race|fault)\n\n([\s\S]*?)\n\n/gm)].map(([, id = '', kind = '', title = '']) => ({
    id,
    kind,
    title: title.replaceAll('\n', ' ').replace(/\.$/, '').toLowerCase(),
  }))

const harness: Harness<never> = { name: 'none', open: () => Promise.reject(new Error('never opened')) }
const factory: TaskFactory = defineTask({ type: 'sample', run: () => {} })

/** Every contract that the kit exports, by the name of its page. */
const contracts = Object.entries(kit)
  .filter(([name]) => name.endsWith('Contract') && name !== 'runContract')
  .map(([name, make]) => {
    const page = name.replace(/Contract$/, '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const given = name === 'taskFactoryContract' ? { factory, samples: [] } : harness
    return { page, rules: (make as unknown as (of: unknown) => { readonly rules: readonly Entry[] })(given).rules }
  })

describe('the catalogue', () => {
  it('has a page for each contract, and no other', () => {
    const pages = readdirSync(folder).map((file) => file.replace(/\.md$/, ''))
    expect(pages.sort()).toEqual(contracts.map(({ page }) => page).sort())
  })

  it.each(contracts)('has the rules of the $page', ({ page, rules }) => {
    const onPage = entriesOf(`${readFileSync(new URL(`${page}.md`, folder), 'utf8')}\n\n`)
    const expected = rules.map(({ id, kind, title }) => ({ id, kind, title: title.toLowerCase() }))
    expect(onPage).toEqual(expected)
  })

  it('gives each id to one rule', () => {
    const ids = contracts.flatMap(({ rules }) => rules.map(({ id }) => id))
    expect(ids.length).toBe(new Set(ids).size)
  })
})
