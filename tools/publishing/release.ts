import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { missingForRelease, readAddress } from './address.ts'
import { publishedPackages } from './packages.ts'
import { run } from '../run.ts'
import { stampTarball } from './stamp.ts'

/** What `changeset pack` writes beside the tarballs, for `changeset publish`. */
interface PublishPlan {
  readonly plan: readonly (readonly PlannedPackage[])[]
}

interface PlannedPackage {
  readonly name: string
  readonly tarball: { readonly path: string; integrity: string }
}

const planName = 'publish-plan.json'

/**
 * Packs the packages whose version the registry does not have yet into the folder `to`, for `changeset publish --from-pack-dir`.
 * Rejects where the owner has not filled in the address, and says where to do so.
 */
export const packRelease = async (workspace: string, to: string): Promise<void> => {
  const missing = missingForRelease(workspace)
  if (missing.length > 0) throw new Error(['A release needs the address of the project. Fill in:', ...missing].join('\n- '))
  if (existsSync(to) && readdirSync(to).length > 0) throw new Error(`${to} is not empty: name a new folder`)

  await run('changeset', ['pack', '--out-dir', to], workspace)
  const { repository } = readAddress(workspace)
  const folders = new Map(publishedPackages(workspace).map(({ name, folder }) => [name, folder]))
  const content = JSON.parse(await readFile(join(to, planName), 'utf8')) as PublishPlan
  for (const { name, tarball } of content.plan.flat()) {
    const file = join(to, tarball.path)
    await stampTarball(file, { workspace, repository, folder: folders.get(name) ?? '' })
    const digest = createHash('sha256').update(await readFile(file))
    tarball.integrity = `sha256-${digest.digest('base64')}`
  }
  await writeFile(join(to, planName), JSON.stringify(content, undefined, 2))
}
