import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

export const here: string = dirname(fileURLToPath(import.meta.url))

export interface Ended {
  readonly status: number | null
  readonly output: string
}

/** Runs a program of Node.js beside the harness, to its end. */
export const runNode = (given: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  new Promise((resolve, reject) => {
    // The runner of this test sets it for its children, and node:test then reports in another format.
    const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...inherited } = process.env
    const child = spawn(process.execPath, given, { cwd: here, env: { ...inherited, NO_COLOR: '1', ...env } })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })
