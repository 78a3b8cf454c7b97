export type * from './harness.ts'
export type * from './rule.ts'
