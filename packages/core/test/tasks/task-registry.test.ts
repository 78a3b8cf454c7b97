import { describe, expect, test } from 'vitest'
import { defaultRetryPolicy } from '../../src/domain/retry-policy.ts'
import { isMisuse } from '../../src/ports/index.ts'
import type { TaskFactory } from '../../src/tasks/task-factory.ts'
import { declareTask, defineTask, implementTask } from '../../src/tasks/define-task.ts'
import { taskRegistry } from '../../src/tasks/task-registry.ts'

const run = (): void => {}
const ping = defineTask({ type: 'ping', run })
const reindex = defineTask({ type: 'reindex', queue: 'mailboxes', run })
const declared = declareTask({ type: 'convert', queue: 'images' })

describe('a registry', () => {
  test('knows tasks by their type', () => {
    const registry = taskRegistry([ping, reindex])
    expect(registry.get('ping')).toBe(ping)
    expect(registry.get('reindex')).toBe(reindex)
    expect(registry.get('toString')).toBeUndefined()
    expect(registry.types()).toEqual(['ping', 'reindex'])
  })

  test('knows the queues of the tasks that it can run, each once', () => {
    const registry = taskRegistry([ping, reindex, defineTask({ type: 'pong', run }), declared])
    expect(registry.queues()).toEqual(['default', 'mailboxes'])
  })

  test('may be empty', () => {
    expect(taskRegistry().types()).toEqual([])
  })

  test('can be added to, task by task', () => {
    expect(taskRegistry().register(ping).register(reindex).types()).toEqual(['ping', 'reindex'])
  })

  test('takes a factory that was written by hand', () => {
    const factory: TaskFactory = {
      type: 'by-hand',
      version: 1,
      queue: 'default',
      retry: defaultRetryPolicy,
      encode: async (payload) => String(payload),
      decode: async () => ({ run: async () => {} }),
    }
    expect(taskRegistry([factory]).get('by-hand')).toBe(factory)
    expect(() => taskRegistry([{ ...factory, version: 0 }])).toThrow('version is 0: give')
    expect(() => taskRegistry([{ ...factory, retry: {} as never }])).toThrow('whole retry policy')
  })
})

describe('a type', () => {
  test('that is registered twice is refused, and named', () => {
    let thrown: unknown
    try {
      taskRegistry([ping, defineTask({ type: 'ping', version: 2, run })])
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(TypeError)
    expect(isMisuse(thrown)).toBe(true)
    expect(thrown).toMatchObject({ code: 'ALREADY_REGISTERED' })
    expect((thrown as Error).message).toBe(
      'the task type "ping" is registered already (a definition of version 1 in the queue "default"): give the other task (a definition of version 2 in the queue "default") another type',
    )
  })

  test('that is refused leaves the registry as it was', () => {
    const registry = taskRegistry([ping])
    expect(() => registry.register(defineTask({ type: 'ping', run }))).toThrow('registered already')
    expect(registry.get('ping')).toBe(ping)
  })

  test('may be registered again with the same task', () => {
    expect(taskRegistry([ping, ping]).types()).toEqual(['ping'])
  })
})

describe('a declaration', () => {
  const implemented = implementTask(declared, run)

  test('and its implementation become one entry, whichever comes first', () => {
    expect(taskRegistry([declared, implemented]).get('convert')).toBe(implemented)
    expect(taskRegistry([implemented, declared]).get('convert')).toBe(implemented)
  })

  test('has its queue in the list once it is implemented', () => {
    const registry = taskRegistry([declared])
    expect(registry.queues()).toEqual([])
    expect(registry.register(implemented).queues()).toEqual(['images'])
  })

  test('does not become one entry with a definition of another version or queue', () => {
    expect(() => taskRegistry([declared, defineTask({ type: 'convert', version: 2, queue: 'images', run })])).toThrow('registered already')
    expect(() => taskRegistry([declared, defineTask({ type: 'convert', run })])).toThrow('registered already')
  })

  test('does not become one entry with a second implementation', () => {
    expect(() => taskRegistry([declared, implemented, implementTask(declared, run)])).toThrow('registered already')
  })

  test('does not become one entry with another declaration', () => {
    expect(() => taskRegistry([declared, declareTask({ type: 'convert', queue: 'images' })])).toThrow('registered already')
  })
})

test.each([undefined, null, 'ping', {}, run])('%s is no task', (value) => {
  expect(() => taskRegistry([value as never])).toThrow(expect.objectContaining({ code: 'MISUSE' }))
})
