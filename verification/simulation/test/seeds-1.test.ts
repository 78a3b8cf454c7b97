import { describeSeeds, seedCount } from './seeds.ts'

describeSeeds(1, seedCount / 2)
