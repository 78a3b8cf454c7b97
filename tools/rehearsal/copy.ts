import { cp, readFile, writeFile } from 'node:fs/promises'
import { devNull } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { run } from '../run.ts'
import type { RunOptions } from '../run.ts'

/** Git without the settings and hooks of the user. */
export const gitEnv: NodeJS.ProcessEnv = {
  GIT_CONFIG_GLOBAL: devNull,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Rehearsal',
  GIT_AUTHOR_EMAIL: 'rehearsal@owner.example',
  GIT_COMMITTER_NAME: 'Rehearsal',
  GIT_COMMITTER_EMAIL: 'rehearsal@owner.example',
}

/** Commits all changes of a copy. */
export const commitAll = async (copy: string, subject: string, signal: AbortSignal): Promise<void> => {
  const options: RunOptions = { env: { ...process.env, ...gitEnv }, signal }
  await run('git', ['add', '--all'], copy, options)
  await run('git', ['commit', '--quiet', '--message', subject], copy, options)
}

/** Copies the work tree as it is, without what git ignores, into a repository of its own with one commit, and installs there. */
export const copyWorkspace = async (workspace: string, copy: string, signal: AbortSignal): Promise<void> => {
  const listed = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], workspace, { signal })
  const deleted = await run('git', ['ls-files', '-z', '--deleted'], workspace, { signal })
  const files = new Set(listed.split('\0').filter((file) => file !== ''))
  for (const file of deleted.split('\0')) files.delete(file)
  for (const file of files) await cp(join(workspace, file), join(copy, file))
  await run('git', ['init', '--quiet', '--initial-branch=main'], copy, { env: { ...process.env, ...gitEnv }, signal })
  await commitAll(copy, 'everything', signal)
  await run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'], copy, { signal })
}

/** Fills in an address as the owner would. */
export const fillInAddress = async (copy: string): Promise<void> => {
  const contact = 'team@owner.example'
  const manifest = JSON.parse(await readFile(join(copy, 'package.json'), 'utf8')) as object
  const filled = { ...manifest, repository: 'https://github.com/owner/taskledger', bugs: { email: contact } }
  await writeFile(join(copy, 'package.json'), `${JSON.stringify(filled, undefined, 2)}\n`)
  for (const page of ['SECURITY.md', 'CODE_OF_CONDUCT.md']) {
    const text = await readFile(join(copy, page), 'utf8')
    await writeFile(join(copy, page), text.replaceAll('CONTACT ADDRESS', contact))
  }
}
