/** Packs every published package: `pack.ts [DIR]` for a trial, `pack.ts --release DIR` for `changeset publish --from-pack-dir DIR`. */
import { join, relative, resolve } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { packRelease } from './release.ts'
import { packAll } from './tarballs.ts'

const workspace = join(import.meta.dirname, '../..')
const { values, positionals } = parseArgs({ allowPositionals: true, options: { release: { type: 'boolean', default: false } } })
const to = resolve(positionals[0] ?? join(workspace, 'packed'))
const shown = relative(process.cwd(), to)

try {
  if (values.release) {
    await packRelease(workspace, to)
    console.log(`Packed the release into ${shown}. Publish it with: node toolchain.mjs changeset publish --from-pack-dir ${shown}`)
  } else {
    await packAll(workspace, to)
    console.log(`Packed into ${shown}. Use the packages in another project with: npm install ${to}/*.tgz`)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
