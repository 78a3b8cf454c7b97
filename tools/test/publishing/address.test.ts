import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { missingForRelease } from '../../publishing/address.ts'
import { packRelease } from '../../publishing/release.ts'

const workspace = join(import.meta.dirname, '../../..')
const repository = 'https://github.com/owner/taskledger'

let root: string
const write = (fields: object): Promise<void> => writeFile(join(root, 'package.json'), JSON.stringify(fields))

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'taskledger-address-'))
  for (const page of ['SECURITY.md', 'CODE_OF_CONDUCT.md']) await writeFile(join(root, page), 'Write to team@owner.example.')
})

afterEach(() => rm(root, { recursive: true, force: true }))

test('a release has its address', async () => {
  await write({ repository, bugs: { email: 'team@owner.example' } })
  expect(missingForRelease(root)).toEqual([])
})

test('a release without an address is refused, and the error says where to fill it in', async () => {
  await write({ repository: '', bugs: { email: '' } })
  const refusal = packRelease(root, join(root, 'packed'))
  await expect(refusal).rejects.toThrow('"repository" in package.json is "": give https://github.com/OWNER/NAME')
  await expect(refusal).rejects.toThrow('"bugs.email" in package.json is ""')
})

test.for(['github.com/owner/name', 'git@github.com:owner/name.git', 'https://github.com/owner/name.git', 'https://github.com/owner'])(
  'the address %s is refused',
  async (given) => {
    await write({ repository: given, bugs: { email: 'team@owner.example' } })
    expect(missingForRelease(root)).toEqual([expect.stringContaining(`"repository" in package.json is "${given}"`)])
  },
)

test('a page that does not name the contact is refused', async () => {
  await write({ repository, bugs: { email: 'team@owner.example' } })
  await writeFile(join(root, 'SECURITY.md'), 'Write to CONTACT ADDRESS.')
  expect(missingForRelease(root)).toEqual([expect.stringContaining('SECURITY.md does not name team@owner.example')])
})

test('the address in the repository is the owner’s to fill in', async () => {
  const manifest = JSON.parse(await readFile(join(workspace, 'package.json'), 'utf8')) as object
  expect(manifest).toMatchObject({ repository: expect.any(String), bugs: { email: expect.any(String) } })
})
