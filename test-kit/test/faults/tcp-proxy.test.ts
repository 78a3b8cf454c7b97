import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, it } from 'vitest'
import type { TcpProxy } from '../../src/faults/tcp-proxy.ts'
import { tcpProxy } from '../../src/faults/tcp-proxy.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const onLine = (socket: Socket, listener: (line: string) => void): void => {
  let rest = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(listener)
  })
}

const serve = async (onConnection: (socket: Socket) => void): Promise<number> => {
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const proxyTo = async (port: number): Promise<TcpProxy> => {
  const proxy = await tcpProxy({ host: '127.0.0.1', port })
  cleanups.push(() => proxy[Symbol.asyncDispose]())
  return proxy
}

/** A server that answers each line with the number of lines so far. */
const counter = async (): Promise<{ port: number; count: () => number; broken: () => number }> => {
  let count = 0
  let broken = 0
  const port = await serve((socket) => {
    socket.on('error', () => broken++)
    socket.on('end', () => socket.end())
    onLine(socket, () => socket.write(`${++count}\n`))
  })
  return { port, count: () => count, broken: () => broken }
}

interface Client {
  readonly socket: Socket
  readonly answers: string[]
  /** The error by which the connection ended, if it has. */
  error: NodeJS.ErrnoException | undefined
  increase(): void
}

const connectTo = async (port: number): Promise<Client> => {
  const socket = connect({ host: '127.0.0.1', port })
  cleanups.push(() => socket.destroy())
  const client: Client = { socket, answers: [], error: undefined, increase: () => socket.write('+1\n') }
  socket.on('error', (error) => (client.error = error))
  onLine(socket, (line) => client.answers.push(line))
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return client
}

const waitUntil = async (sentence: string, condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + 20_000
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(sentence)
    await sleep(5)
  }
}

describe('tcpProxy', { timeout: 60_000 }, () => {
  it('passes everything on in both directions', async () => {
    const { port } = await counter()
    const client = await connectTo((await proxyTo(port)).port)
    client.increase()
    client.increase()
    await waitUntil('both lines are answered', () => client.answers.length === 2)
    assert.deepEqual(client.answers, ['1', '2'])
  })

  it('passes on the end of one direction and leaves the other open', async () => {
    const port = await serve((socket) => {
      let length = 0
      socket.on('data', (bytes: Buffer) => (length += bytes.length))
      socket.on('end', () => socket.end(`${length}\n`))
    })
    const client = await connectTo((await proxyTo(port)).port)
    client.socket.end('x'.repeat(300_000))
    await waitUntil('the answer to the end arrives', () => client.answers.length === 1)
    assert.deepEqual(client.answers, ['300000'])
    assert.equal(client.error, undefined)
  })

  it('holds back a fast writer for a slow reader, and loses nothing', async () => {
    const total = 64 * 1024 * 1024
    const part = Buffer.alloc(64 * 1024, 'x')
    let written = 0
    const port = await serve((socket) => {
      const write = (): void => {
        while (written < total) {
          written += part.length
          if (!socket.write(part)) return void socket.once('drain', write)
        }
        socket.end()
      }
      write()
    })
    const socket = connect({ host: '127.0.0.1', port: (await proxyTo(port)).port })
    cleanups.push(() => socket.destroy())
    socket.pause()
    const other = await connectTo((await proxyTo((await counter()).port)).port)
    let before = -1
    for (let unchanged = 0; unchanged < 50; unchanged = written > 0 && written === before ? unchanged + 1 : 0) {
      before = written
      const { length } = other.answers
      other.increase()
      await waitUntil('another connection gets its answer', () => other.answers.length > length)
    }
    assert.ok(written < total, `all ${total} bytes were taken although no client reads`)
    let read = 0
    socket.on('data', (bytes: Buffer) => (read += bytes.length))
    socket.resume()
    await once(socket, 'end')
    assert.equal(read, total)
  })

  it('breaks the connection of a client where the engine cannot be reached', async () => {
    const unused = await proxyTo((await counter()).port)
    await unused[Symbol.asyncDispose]()
    const client = await connectTo((await proxyTo(unused.port)).port)
    await waitUntil('the connection breaks', () => client.socket.destroyed)
  })

  it('cut: breaks connections on both sides, and accepts new ones', async () => {
    const engine = await counter()
    const proxy = await proxyTo(engine.port)
    const client = await connectTo(proxy.port)
    client.increase()
    await waitUntil('the line is answered', () => client.answers.length === 1)
    await proxy.faults.cut()
    await waitUntil('both sides notice', () => client.error !== undefined && engine.broken() === 1)
    assert.equal(client.error?.code, 'ECONNRESET')
    const next = await connectTo(proxy.port)
    next.increase()
    await waitUntil('the new connection works', () => next.answers.length === 1)
    assert.deepEqual(next.answers, ['2'])
  })

  it('refuse: breaks connections and refuses new ones until it is lifted', async () => {
    const engine = await counter()
    const proxy = await proxyTo(engine.port)
    const client = await connectTo(proxy.port)
    client.increase()
    await waitUntil('the line is answered', () => client.answers.length === 1)
    const lift = await proxy.faults.refuse()
    await waitUntil('both sides notice', () => client.error !== undefined && engine.broken() === 1)
    await assert.rejects(connectTo(proxy.port), { code: 'ECONNREFUSED' })
    await lift()
    await lift()
    const next = await connectTo(proxy.port)
    next.increase()
    await waitUntil('the new connection works', () => next.answers.length === 1)
  })

  it('refuse twice: accepts connections when both are lifted', async () => {
    const proxy = await proxyTo((await counter()).port)
    const [first, second] = [await proxy.faults.refuse(), await proxy.faults.refuse()]
    await first()
    await assert.rejects(connectTo(proxy.port), { code: 'ECONNREFUSED' })
    await second()
    await connectTo(proxy.port)
  })

  it('stall: holds back all data on old and new connections until it is lifted', async () => {
    const engine = await counter()
    const proxy = await proxyTo(engine.port)
    const old = await connectTo(proxy.port)
    old.increase()
    await waitUntil('the line is answered', () => old.answers.length === 1)
    const lift = await proxy.faults.stall()
    const late = await connectTo(proxy.port)
    late.increase()
    old.increase()
    const direct = await connectTo(engine.port)
    direct.increase()
    await waitUntil('the engine answers those who come past the proxy', () => direct.answers.length === 1)
    assert.deepEqual(direct.answers, ['2'])
    await lift()
    await waitUntil('what was held back arrives', () => old.answers.length === 2 && late.answers.length === 1)
    assert.deepEqual(new Set([old.answers[1], late.answers[0]]), new Set(['3', '4']))
    assert.equal(old.error, undefined)
  })

  it('stall: neither a close nor a reset gets through before it is lifted', async () => {
    let ended = 0
    let broken = 0
    const connected: Socket[] = []
    const port = await serve((socket) => {
      connected.push(socket)
      socket.on('end', () => ended++)
      socket.on('error', () => broken++)
      socket.resume()
    })
    const proxy = await proxyTo(port)
    const polite = await connectTo(proxy.port)
    const rude = await connectTo(proxy.port)
    await waitUntil('the engine sees both', () => connected.length === 2)
    const lift = await proxy.faults.stall()
    polite.socket.end()
    rude.socket.resetAndDestroy()
    const direct = await connectTo(port)
    direct.socket.end()
    await waitUntil('the engine sees the end of one that comes past the proxy', () => ended > 0)
    assert.deepEqual([ended, broken], [1, 0])
    await lift()
    await waitUntil('the goodbye and the reset arrive', () => ended === 2 && broken === 1)
  })

  it('cut: works in a stall', async () => {
    const proxy = await proxyTo((await counter()).port)
    const lift = await proxy.faults.stall()
    const client = await connectTo(proxy.port)
    await proxy.faults.cut()
    await waitUntil('the client notices', () => client.error !== undefined)
    await lift()
  })

  it('loseReplies: requests arrive and answers are lost; such a connection breaks when it is lifted, others stay', async () => {
    const engine = await counter()
    const proxy = await proxyTo(engine.port)
    const asking = await connectTo(proxy.port)
    const silent = await connectTo(proxy.port)
    const lift = await proxy.faults.loseReplies()
    asking.increase()
    await waitUntil('the engine counts', () => engine.count() === 1)
    const lateComer = await connectTo(proxy.port)
    lateComer.increase()
    await waitUntil('the engine counts on a new connection', () => engine.count() === 2)
    assert.deepEqual([asking.answers, lateComer.answers], [[], []])
    await lift()
    silent.increase()
    await waitUntil('the connection that lost nothing lives on', () => silent.answers.length === 1)
    assert.deepEqual(silent.answers, ['3'])
    await waitUntil('the connection that lost an answer breaks', () => asking.error !== undefined)
    assert.deepEqual(asking.answers, [])
  })

  it('silence: open connections say nothing more in either direction and stay open; new ones work', async () => {
    const engine = await counter()
    let ended = 0
    const port = await serve((socket) => {
      socket.on('end', () => ended++)
      onLine(socket, () => socket.write('heard\n'))
    })
    const [proxy, other] = [await proxyTo(engine.port), await proxyTo(port)]
    const old = await connectTo(proxy.port)
    const leaving = await connectTo(other.port)
    old.increase()
    await waitUntil('the line is answered', () => old.answers.length === 1)
    leaving.increase()
    await waitUntil('the line is heard', () => leaving.answers.length === 1)
    await proxy.faults.silence()
    await other.faults.silence()
    old.increase()
    leaving.increase()
    leaving.socket.end()
    const [next, last] = [await connectTo(proxy.port), await connectTo(other.port)]
    next.increase()
    await waitUntil('the new connection works', () => next.answers.length === 1)
    assert.deepEqual(next.answers, ['2'], 'a line came through on the silent connection')
    last.increase()
    last.socket.end()
    await waitUntil('the end of the new connection arrives', () => ended === 1)
    assert.deepEqual([old.answers, leaving.answers, last.answers], [['1'], ['heard'], ['heard']])
    assert.deepEqual([old.error, leaving.error, engine.broken()], [undefined, undefined, 0])
    assert.deepEqual([old.socket.destroyed, leaving.socket.destroyed], [false, false])
  })

  it('silence: says nothing of what the engine sends by itself', async () => {
    const sockets: Socket[] = []
    const port = await serve((socket) => {
      sockets.push(socket)
      socket.write('hello\n')
    })
    const proxy = await proxyTo(port)
    const old = await connectTo(proxy.port)
    await waitUntil('the greeting arrives', () => old.answers.length === 1)
    await proxy.faults.silence()
    sockets[0]?.write('still there?\n')
    const next = await connectTo(proxy.port)
    await waitUntil('the new connection is greeted', () => next.answers.length === 1)
    sockets[1]?.write('and you?\n')
    await waitUntil('the new connection hears more', () => next.answers.length === 2)
    assert.deepEqual(old.answers, ['hello'])
  })

  it('silence: the engine does not notice that a client breaks its connection', async () => {
    const engine = await counter()
    const proxy = await proxyTo(engine.port)
    const old = await connectTo(proxy.port)
    old.increase()
    await waitUntil('the line is answered', () => old.answers.length === 1)
    await proxy.faults.silence()
    old.socket.resetAndDestroy()
    const next = await connectTo(proxy.port)
    next.increase()
    await waitUntil('the new connection works', () => next.answers.length === 1)
    next.socket.resetAndDestroy()
    await waitUntil('the engine notices the reset of the new connection', () => engine.broken() > 0)
    assert.equal(engine.broken(), 1)
  })

  it('silence: cut and dispose end a silent connection', async () => {
    const engine = await counter()
    const proxy = await proxyTo(engine.port)
    const first = await connectTo(proxy.port)
    await proxy.faults.silence()
    await proxy.faults.cut()
    await waitUntil('the client notices the cut', () => first.error !== undefined)
    const second = await connectTo(proxy.port)
    second.increase()
    await waitUntil('the line is answered', () => second.answers.length === 1)
    await proxy.faults.silence()
    await proxy[Symbol.asyncDispose]()
    await waitUntil('both sides notice the end', () => second.error !== undefined && engine.broken() > 0)
  })

  it('can be disposed of twice, and closes everything', async () => {
    const proxy = await proxyTo((await counter()).port)
    const client = await connectTo(proxy.port)
    await proxy[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
    await waitUntil('the client notices', () => client.error !== undefined)
    await assert.rejects(connectTo(proxy.port), { code: 'ECONNREFUSED' })
  })
})
