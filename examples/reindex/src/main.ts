import { startProgram } from './program/start.ts'

await startProgram('npm start', () => import('./cli.ts'))
