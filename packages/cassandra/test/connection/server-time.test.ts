import { expect, test } from 'vitest'
import { ServerTime } from '../../src/connection/server-time.ts'

/** Hosts whose clock is right, and a machine whose wall clock is hours behind. */
const machine = () => {
  const clocks = { server: 10_000_000, wall: 10_000_000 - 7_200_000, monotonic: 5 }
  let asked = 0
  const read = async (): Promise<number> => {
    asked++
    return clocks.server
  }
  const time = new ServerTime(read, { wall: () => clocks.wall, monotonic: () => clocks.monotonic })
  const pass = (ms: number): void => {
    clocks.server += ms
    clocks.wall += ms
    clocks.monotonic += ms
  }
  return { clocks, time, pass, asked: () => asked }
}

test('the time is that of the hosts, whatever the clock of this machine says', async () => {
  const { clocks, time, pass } = machine()
  expect(await time.now()).toBe(clocks.server)
  pass(59_000.5)
  expect(await time.now()).toBe(Math.floor(clocks.server))
})

test('a host is asked once a minute, also by calls at the same time', async () => {
  const { time, pass, asked } = machine()
  await Promise.all([time.now(), time.now()])
  pass(59_999)
  await time.now()
  expect(asked()).toBe(1)
  pass(1)
  await time.now()
  expect(asked()).toBe(2)
})

test('a host is asked again after a suspend, in which the monotonic clock stood still, and after the clock was set', async () => {
  const { clocks, time, asked } = machine()
  await time.now()
  clocks.server += 3_600_000
  clocks.wall += 3_600_000
  expect(await time.now()).toBe(clocks.server)
  clocks.wall -= 86_400_000
  expect(await time.now()).toBe(clocks.server)
  expect(asked()).toBe(3)
})

test('a failed request rejects, and the next call asks again', async () => {
  let isDown = true
  const time = new ServerTime(async () => {
    if (isDown) throw new Error('no host answers')
    return 1
  })
  await expect(time.now()).rejects.toThrow('no host answers')
  isDown = false
  expect(await time.now()).toBeGreaterThanOrEqual(1)
})
