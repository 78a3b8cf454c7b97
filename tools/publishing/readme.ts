import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fencesOf } from '../fences.ts'

/** What a README shows to somebody who has an empty project. */
export interface Readme {
  /** What its line `npm install …` installs. */
  readonly dependencies: readonly string[]
  /** Its first program whose output is shown, or its first program. */
  readonly program: string
  /** What that program prints, as the block after it says. */
  readonly printed: string
  /** An output of the program, without white space that nobody sees and without states that a watch may miss on a busy machine. */
  seen(output: string): string
}

/** Reads the README.md in a folder. */
export const readmeOf = (folder: string): Readme => {
  const markdown = readFileSync(join(folder, 'README.md'), 'utf8')
  const fences = fencesOf(markdown)
  const shown = fences.findIndex(({ info }, index) => info === 'ts' && fences[index + 1]?.info === 'text')
  const at = shown === -1 ? fences.findIndex(({ info }) => info === 'ts') : shown
  const next = fences[at + 1]
  return {
    dependencies: /^npm install (?:--save-dev )?(.+)$/m.exec(markdown)?.[1]?.split(/\s+/) ?? [],
    program: fences[at]?.code ?? '',
    printed: next?.info === 'text' ? next.code : '',
    seen: (output) =>
      output
        .replaceAll(/[ ]+$/gm, '')
        .replaceAll(/^short is (?:waiting|inProgress).*\n/gm, '')
        .trim(),
  }
}
