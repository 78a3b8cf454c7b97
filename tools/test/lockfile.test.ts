import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('the lockfile names no host, so that every machine can use its own registry', () => {
  const lockfile = readFileSync(join(import.meta.dirname, '../../pnpm-lock.yaml'), 'utf8')
  expect(lockfile.match(/^.*(https?:|tarball:|registry).*$/gm)).toBeNull()
})
