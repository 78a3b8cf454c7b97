import { startProgram } from '@taskledger/example-reindex/program'

await startProgram('npm run cluster', () => import('./cli.ts'))
