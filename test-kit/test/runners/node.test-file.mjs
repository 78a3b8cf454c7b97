import { describe, it } from 'node:test'
import { register } from '@taskledger/test-kit'
import contract from './harness.mjs'

register(contract, { describe, it })
