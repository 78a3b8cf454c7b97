import { register } from '@taskledger/test-kit'
import { describe, it } from 'mocha'
import contract from './harness.mjs'

register(contract, { describe, it })
