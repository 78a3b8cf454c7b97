import { execFile } from 'node:child_process'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'

const binaries = join(import.meta.dirname, '../node_modules/.bin')

export interface RunOptions {
  /** Instead of the environment of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly signal?: AbortSignal | undefined
}

/** Runs a command, with those of the workspace on the path, and resolves with its output. If the command fails, the error has its output. */
export const run = async (command: string, args: readonly string[], cwd: string, options: RunOptions = {}): Promise<string> => {
  // npm tells its children where it was called; npm has to look at `cwd` instead.
  const { npm_config_local_prefix: _called, ...env } = options.env ?? process.env
  env['PATH'] = [binaries, env['PATH']].join(delimiter)
  try {
    return (await promisify(execFile)(command, args, { cwd, env, maxBuffer: 2 ** 26, signal: options.signal })).stdout
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    // The message of a failed command repeats its stderr from the second line on.
    throw new Error([message.split('\n')[0], stdout, stderr].join('\n'), { cause: error })
  }
}
