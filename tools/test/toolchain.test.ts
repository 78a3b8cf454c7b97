import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

interface Manifest {
  readonly devEngines: Readonly<Record<'runtime' | 'packageManager', { readonly version: string }>>
  readonly toolchain: Readonly<Record<'node' | 'pnpm' | 'verdaccio', string>>
}

const { devEngines, toolchain } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as Manifest

test.for(Object.entries(toolchain))('%s is fetched in an exact version, %s', ([, version]) => {
  expect(version).toMatch(/^\d+\.\d+\.\d+$/)
})

/** Whether a version fits a range of the forms `^24.11.0` and `>=26.0.0`, joined by `||`. */
const fits = (version: string, range: string): boolean =>
  range.split('||').some((part) => {
    const [, operator, minimum = ''] = /(\^|>=)(\S+)/.exec(part) ?? []
    const isNewEnough = version.localeCompare(minimum, 'en', { numeric: true }) >= 0
    return isNewEnough && (operator === '>=' || version.split('.')[0] === minimum.split('.')[0])
  })

test('the Node and the pnpm that are fetched fit devEngines', () => {
  expect(fits(toolchain.node, devEngines.runtime.version)).toBe(true)
  expect(fits(toolchain.pnpm, devEngines.packageManager.version)).toBe(true)
})
