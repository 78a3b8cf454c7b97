import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readAddress } from './address.ts'
import { publishedPackages } from './packages.ts'
import { run } from '../run.ts'
import { stampTarball } from './stamp.ts'

/** `@taskledger/core` → `taskledger-core.tgz`. */
export const tarballName = (name: string): string => `${name.replace('@', '').replace('/', '-')}.tgz`

/** Packs every published package of the workspace into the folder `to`. Without an address in package.json, the pages of a package link to what is in it. */
export const packAll = async (workspace: string, to: string): Promise<void> => {
  await mkdir(to, { recursive: true })
  const { repository } = readAddress(workspace)
  await Promise.all(
    publishedPackages(workspace).map(async ({ name, folder }) => {
      const tarball = join(to, tarballName(name))
      // pnpm and not npm: npm leaves `workspace:` and `catalog:` in the package.json. The script `prepack` builds.
      await run('pnpm', ['pack', '--out', tarball], join(workspace, folder))
      await stampTarball(tarball, { workspace, repository, folder })
    }),
  )
}
