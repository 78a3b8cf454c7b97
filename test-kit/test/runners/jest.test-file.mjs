import { describe, it } from '@jest/globals'
import { notShownReasons, register } from '@taskledger/test-kit'
import contract from './harness.mjs'

// Jest cannot skip a test that has begun.
register(contract, { describe, it }, { notShown: await notShownReasons(contract) })
