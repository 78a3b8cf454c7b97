import { execFile } from 'node:child_process'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'

const binaries = join(import.meta.dirname, '../../node_modules/.bin')

/** Runs a command, with the workspace's own ones on the path, and resolves with what it printed. If it fails, what it printed is the error. */
export const run = async (command: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): Promise<string> => {
  // npm passes on where it was called; here npm has to look at the folder that it is called in.
  const { npm_config_local_prefix: _called, ...inherited } = process.env
  const env = { ...inherited, PATH: [binaries, inherited['PATH']].join(delimiter), ...more }
  try {
    return (await promisify(execFile)(command, args, { cwd, env, maxBuffer: 2 ** 26 })).stdout
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    throw new Error([message, stdout, stderr].join('\n'), { cause: error })
  }
}
