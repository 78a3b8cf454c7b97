import { tmpdir } from 'node:os'
import { run } from './run.ts'

/** Lets npm bring an exact version of Node into its own cache, and resolves with the path of the program. */
export const nodeFromNpm = async (version: string): Promise<string> => {
  const npm = await run('npm', ['--version'], tmpdir())
  // The package `node` gets its program by an install script. npm 12 skips it unless it is allowed; npm 11 does not know the option.
  const allowed = Number.parseInt(npm) >= 12 ? ['--allow-scripts=node'] : []
  const print = ['node', '--print', 'process.execPath']
  const path = await run('npm', ['exec', '--yes', '--loglevel=error', ...allowed, `--package=node@${version}`, '--', ...print], tmpdir())
  return path.trim()
}
