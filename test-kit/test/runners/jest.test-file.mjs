import { describe, it } from '@jest/globals'
import { register } from '@taskledger/test-kit'
import contract from './harness.mjs'

register(contract, { describe, it })
