import { describeSeeds, seedCount } from './seeds.ts'

describeSeeds(seedCount / 2 + 1, seedCount)
