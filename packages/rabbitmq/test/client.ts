import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery, Logger, TaskMessaging, TaskId, WorkMessage } from '@taskledger/core/ports'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { RabbitmqMessagingOptions } from '@taskledger/rabbitmq'
import type { TcpProxy } from '@taskledger/test-kit'
import { tcpProxy } from '@taskledger/test-kit'
import { Broker } from './broker.ts'
import { quickly, rememberQueues } from './harness.ts'

/** What the log was told. */
export interface Told {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: object
}

/** A prefix of its own, a client, the network in between, and the broker behind it. */
export class TestClient {
  readonly prefix: string
  readonly broker: Broker
  readonly proxy: TcpProxy
  readonly told: Told[] = []
  readonly #url: string
  readonly #opened: TaskMessaging[] = []
  readonly #queues = new Set<string>()
  #messaging: TaskMessaging | undefined

  private constructor(prefix: string, url: string, broker: Broker, proxy: TcpProxy) {
    this.prefix = prefix
    this.broker = broker
    this.proxy = proxy
    this.#url = url
  }

  static async open(url: string, options: Partial<RabbitmqMessagingOptions> = {}): Promise<TestClient> {
    const { hostname, port } = new URL(url)
    const prefix = options.prefix ?? `t_${process.pid}_${Math.random().toString(36).slice(2)}`
    const proxy = await tcpProxy({ host: hostname, port: Number(port || 5672) })
    const client = new TestClient(prefix, url, await Broker.connect(url), proxy)
    client.#messaging = await client.another(options)
    return client
  }

  get messaging(): TaskMessaging {
    if (this.#messaging === undefined) throw new Error('it is not open')
    return this.#messaging
  }

  /** The broker's address behind the proxy. */
  get url(): string {
    const url = new URL(this.#url)
    url.host = `${this.proxy.host}:${this.proxy.port}`
    return url.href
  }

  /** One more client of the same prefix. */
  async another(options: Partial<RabbitmqMessagingOptions> = {}): Promise<TaskMessaging> {
    const messaging = await rabbitmqMessaging({ url: this.url, prefix: this.prefix, logger: this.#logger(), ...quickly, ...options })
    this.#opened.push(messaging)
    return messaging
  }

  /** The broker's name of a queue. */
  work(queue: string): string {
    return `${this.prefix}.work.${queue}`
  }

  dead(queue: string): string {
    return `${this.prefix}.dead.${queue}`
  }

  /** Remembers a queue that was made by hand. */
  own(queue: string): string {
    this.#queues.add(queue)
    return queue
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map((messaging) => messaging.close()))
    await this.proxy[Symbol.asyncDispose]()
    await this.broker.close(this.#queues, `${this.prefix}.events`)
  }

  #logger(): Logger {
    const tell = (level: Told['level']) => (fields: object, message: string) => void this.told.push({ level, message, fields })
    return { ...rememberQueues(this.#queues), info: tell('info'), warn: tell('warn'), error: tell('error') }
  }
}

let count = 0

/** A message for a task of its own. */
export const newMessage = (): WorkMessage => ({
  taskId: `018f0000-0000-7000-8000-${(++count).toString(16).padStart(12, '0')}` as TaskId,
  version: 1,
  sentAt: Date.now(),
})

/** Takes every message at once, and remembers. */
export const acceptInto =
  (taken: string[]) =>
  async (delivery: Delivery): Promise<void> => {
    taken.push(delivery.message.taskId)
    await delivery.accept()
  }

/** Waits until it is so; past twenty seconds it fails with what did not happen, and what there was instead. */
export const until = async (
  sentence: string,
  condition: () => boolean | Promise<boolean>,
  seen: () => unknown = () => '',
): Promise<void> => {
  for (const begun = performance.now(); !(await condition()); await sleep(10)) {
    if (performance.now() - begun > 20_000) throw new Error(`this did not happen: ${sentence}; there was ${JSON.stringify(seen())}`)
  }
}

/** Something to wait for. */
export const gate = (): { readonly opened: Promise<void>; readonly open: () => void } => {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

/** What it fails with. */
export const failureOf = async (promise: Promise<unknown>): Promise<Error & { readonly code?: string }> => {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it did not fail')
}
