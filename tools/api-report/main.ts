/** Writes what each entry point exports into `api/`. A change of the public surface is a change of these files. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { apiReports } from './reports.ts'

const root = join(import.meta.dirname, '../..')
const reports = await apiReports(root)
await rm(join(root, 'api'), { recursive: true, force: true })
await mkdir(join(root, 'api'))
for (const [name, report] of reports) await writeFile(join(root, 'api', name), report)
console.log(`wrote ${reports.size} reports into api/`)
