// What the runners are given: a small contract of which one rule holds, one cannot be shown, and one holds or not.
const close = async () => {}
const hangs = () => new Promise(() => {})
const subject = async () => ({
  port: { close },
  peer: async () => ({ close }),
  ...(process.env.HANGING === '1' && { [Symbol.asyncDispose]: hangs }),
})
const rule = (id, run, notShown) => ({ id, kind: 'plain', title: `${id} holds`, hint: 'none', run, notShown })

// A pool, say, that rules share and never close.
if (process.env.RESTLESS === '1') setInterval(() => {}, 60_000)

// oxlint-disable-next-line import/no-default-export -- the command takes it
export default {
  name: 'sample',
  harness: { name: 'engine 1.0', open: subject, timing: { disposeMs: 100 } },
  rules: [
    rule('R-1', async () => {}),
    rule(
      'R-2',
      async () => {},
      () => 'the harness has no fault "cut"',
    ),
    rule('R-3', async () => {
      if (process.env.BROKEN === '1') throw new Error('it does not hold')
    }),
  ],
}
