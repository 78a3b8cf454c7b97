import contract from './harness.mjs'

// A pool, say, that the rules share and nobody closes.
setInterval(() => {}, 60_000)

export const contracts = [contract]
