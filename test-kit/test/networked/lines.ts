import type { Socket } from 'node:net'

/** Calls back with every line of JSON that comes. */
export const onJson = (socket: Socket, listener: (value: Frame) => void): void => {
  let rest = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) listener(JSON.parse(line) as Frame)
  })
}

export const writeJson = (socket: Socket, value: Frame): void => {
  if (!socket.destroyed && socket.writable) socket.write(`${JSON.stringify(value)}\n`)
}

/** What goes over the line, in both directions. */
export interface Frame {
  readonly type: 'send' | 'depth' | 'publish' | 'consume' | 'resize' | 'close' | 'settle' | 'end' | 'reply' | 'deliver' | 'notice'
  /** A request has one, and its reply the same. */
  readonly id?: number
  readonly consumer?: number
  readonly delivery?: number
  /** Text as the codec of core has it. */
  readonly text?: string
  readonly texts?: readonly string[]
  readonly queue?: string
  readonly slots?: number
  readonly mode?: 'parallel' | 'serial'
  readonly how?: 'accept' | 'release' | 'reject'
  readonly why?: string
  readonly delayMs?: number
  readonly depth?: number
  readonly redelivered?: boolean
  readonly releases?: number
}
