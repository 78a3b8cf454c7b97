import { closedError, misconfigured, outcomeUnknown, TaskledgerError, unavailable } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'

const cause = new Error('connect ECONNREFUSED')

describe.for([
  ['UNAVAILABLE', unavailable, 'the store is away'],
  ['MISCONFIGURED', misconfigured, 'the store is away'],
  ['OUTCOME_UNKNOWN', outcomeUnknown, 'the store is away: this may have happened or not; repeat it to find out'],
] as const)('the error of %s', ([code, make, message]) => {
  it('has the code, the message and the cause', () => {
    const error = make('the store is away', cause)
    expect(error).toBeInstanceOf(TaskledgerError)
    expect(error).toMatchObject({ code, message, cause })
  })

  it('has no cause where none is given', () => {
    expect(make('the store is away')).not.toHaveProperty('cause')
  })
})

it('the error of a closed port names the port', () => {
  expect(closedError('the event store')).toMatchObject({ code: 'CLOSED', message: 'the event store is closed' })
})
