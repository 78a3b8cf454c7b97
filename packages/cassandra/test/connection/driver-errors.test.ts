import { errors, types } from 'cassandra-driver'
import { codeOf, VersionConflict } from '@taskledger/core/ports'
import type { TaskId } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import type { RequestKind } from '../../src/connection/driver-errors.ts'
import { translated } from '../../src/connection/driver-errors.ts'

const response = (code: number, message = 'said the server') => new errors.ResponseError(code, message)
const noHost = (innerErrors: Record<string, unknown>) => new errors.NoHostAvailableError(innerErrors)
const socketClosed = (more: object = {}) => Object.assign(new Error('Socket was closed'), { isSocketError: true, ...more })
const notWritten = socketClosed({ requestNotWritten: true })
const { responseErrorCodes: codes } = types

const codesOf = (error: unknown): readonly unknown[] =>
  (['read', 'write', 'conditional'] satisfies readonly RequestKind[]).map((kind) => codeOf(translated(error, kind, 'a request')))

describe('a failure of the driver', () => {
  it.each([
    ['every host is known to be down', noHost({ '127.0.0.1:9042': 'Host considered as DOWN' })],
    ['no host is known', noHost({})],
    ['the connections are full', noHost({ a: new errors.BusyConnectionError('a', 2048, 1) })],
    ['the request did not leave the process', noHost({ a: notWritten })],
  ])('before the request was sent means that it did not happen: %s', (_name, error) => {
    expect(codesOf(error)).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'])
  })

  it.each([
    ['no answer came', new errors.OperationTimedOutError('The host a did not reply before timeout 12000 ms', 'a')],
    ['the connection broke', socketClosed()],
    ['it broke, and then no host was left', noHost({ a: socketClosed() })],
    ['replicas did not answer', response(codes.writeTimeout)],
    ['replicas failed', response(codes.writeFailure)],
    ['the server failed', response(codes.serverError)],
    ['the server is overloaded', response(codes.overloaded)],
    ['something else', new Error('unheard of')],
  ])('after the request was sent leaves the outcome of a write unknown: %s', (_name, error) => {
    expect(codesOf(error)).toEqual(['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN'])
  })

  it.each([
    'Rejected an oversized mutation (12000546/8388608) for keyspace: tasks. Top keys are: task_event.1',
    'Request is too big: length 17000539 exceeds maximum allowed length 16777216.',
    'Batch too large',
  ])('because of the size is TOO_LARGE: %s', (said) => {
    expect(codesOf(response(codes.invalid, said))).toEqual(['TOO_LARGE', 'TOO_LARGE', 'TOO_LARGE'])
  })

  it.each([
    'Unable to perform authorization of permissions: Cannot achieve consistency level LOCAL_ONE',
    'Unable to perform authorization of super-user permission: Operation timed out - received only 0 responses.',
    'Unable to perform authentication: Cannot achieve consistency level QUORUM',
  ])('of the server to look up the user may pass: %s', (said) => {
    for (const code of [codes.unauthorized, codes.badCredentials])
      expect(codesOf(response(code, said))).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'])
    expect(codesOf(noHost({ a: response(codes.unauthorized, said), b: socketClosed() }))[2]).toBe('OUTCOME_UNKNOWN')
  })

  it('for lack of replicas means that nothing was written, unless the write is conditional', () => {
    expect(codesOf(response(codes.unavailableException))).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'])
  })

  it.each([
    [
      'unauthorized',
      response(codes.unauthorized, 'User ada has no MODIFY permission on <table tasks.task_event> or any of its parents'),
      /grant/,
    ],
    ['a missing table', response(codes.invalid, 'unconfigured table task_event'), /migrate\(\)/],
    ['a missing table, heard from each host', noHost({ a: response(codes.invalid, 'unconfigured table task_event') }), /migrate\(\)/],
    ['a mistake in a statement', response(codes.syntaxError), /said the server/],
  ])('that no retry cures says what to do: %s', (_name, error, remedy) => {
    expect(codesOf(error)).toEqual(['MISCONFIGURED', 'MISCONFIGURED', 'MISCONFIGURED'])
    expect(translated(error, 'write', 'a write').message).toMatch(remedy)
  })

  it.each([
    ['no host was asked', noHost({})],
    ['hosts are known to be down', noHost({ '127.0.0.1:9042': 'Host considered as DOWN' })],
  ])('names the hosts that are down, and their last error: %s', (_name, error) => {
    const { message } = translated(error, 'write', 'a write', '127.0.0.1:9042 is down (connect ECONNREFUSED 127.0.0.1:9042)')
    expect(message).toBe('a write: no host can be reached: 127.0.0.1:9042 is down (connect ECONNREFUSED 127.0.0.1:9042)')
  })

  it('says what a host answered, not which others are down', () => {
    const error = noHost({ a: new Error('it broke'), b: 'Host considered as DOWN' })
    expect(translated(error, 'read', 'a read', 'b is down').message).toBe('a read: a says: it broke; b says: Host considered as DOWN')
  })

  it('keeps an error that has a code', () => {
    const conflict = new VersionConflict('t' as TaskId, 1, 2)
    expect(translated(conflict, 'write', 'a write')).toBe(conflict)
  })
})
