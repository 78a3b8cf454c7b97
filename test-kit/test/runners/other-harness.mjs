// Another contract, for the command.
const client = { close: async () => {} }

// oxlint-disable-next-line import/no-default-export -- the command takes it
export default {
  name: 'other',
  harness: { name: 'engine 2.0', open: async () => ({ port: client, peer: async () => client }) },
  rules: [{ id: 'O-1', kind: 'plain', title: 'O-1 holds', hint: 'none', run: async () => {} }],
}
