// postal-mime's declarations name these as types, as browsers have them; those of Node.js have only the values.
import type { TextDecoder as NodeTextDecoder, TextEncoder as NodeTextEncoder } from 'node:util'

declare global {
  /** workerpool's declarations name this, too: what a browser gets for a worker. */
  interface WorkerOptions {
    readonly type?: 'classic' | 'module'
  }
  interface TextDecoder extends NodeTextDecoder {}
  interface TextEncoder extends NodeTextEncoder {}
}
