import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fencesOf, programsOf } from '../fences.ts'

const root = join(import.meta.dirname, '../..')
const pages = globSync(['*.md', 'docs/**/*.md', '{packages/*,test-kit,examples/*,verification/*}/*.md'], {
  cwd: root,
  exclude: ['**/node_modules/**', '**/CHANGELOG.md', 'docs/api/**', 'docs/.*/**'],
}).toSorted()

/** A page that must fail, so that the check is seen to work. */
const planted = ['```ts', 'const one = 1', '```', '', 'Text.', '', '```ts continues', 'const two: string = one', '```', ''].join('\n')
const plantedPage = 'planted.md'

const contentOf = (page: string): string => (page === plantedPage ? planted : readFileSync(join(root, page), 'utf8'))
const slugOf = (page: string): string => page.replaceAll(/[^a-zA-Z0-9]+/g, '-')

let folder: string
let errors: readonly string[]

/** What the compiler says of a page, each as `line: message`. */
const errorsOf = (page: string): readonly string[] =>
  errors.flatMap((error) => {
    const [, file, line, message] = /^(.+)--\d+\.ts\((\d+),\d+\): error (.+)$/.exec(error) ?? []
    return file === slugOf(page) ? [`${line}: ${message}`] : []
  })

const withoutCode = (markdown: string): string => markdown.replaceAll(/^([ ]*`{3,})[^]*?^\1[ ]*$/gm, '').replaceAll(/`[^`\n]*`/g, 'code')

/** The anchors that a page's headings have, as GitHub makes them. */
const anchorsOf = (markdown: string): readonly string[] =>
  [...markdown.replaceAll(/^([ ]*`{3,})[^]*?^\1[ ]*$/gm, '').matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

/** The links of a page to other files of the project that lead nowhere. */
const brokenLinksOf = (page: string): readonly string[] =>
  [...withoutCode(contentOf(page)).matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return []
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? join(root, page) : join(root, dirname(page), path)
    const isFound = existsSync(file) && (anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).includes(anchor))
    return isFound ? [] : [target]
  })

beforeAll(async () => {
  // In docs, whose package.json says which packages the pages may use.
  await mkdir(join(root, 'docs/.code'), { recursive: true })
  folder = await mkdtemp(join(root, 'docs/.code/'))
  const tsconfig = {
    extends: '../../../tsconfig.base.json',
    compilerOptions: { isolatedDeclarations: false, declaration: false, moduleDetection: 'force' },
    include: ['*.ts'],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
  for (const page of [...pages, plantedPage])
    for (const [index, program] of programsOf(contentOf(page)).entries())
      await writeFile(join(folder, `${slugOf(page)}--${index}.ts`), program)
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { stdout } = await promisify(execFile)(tsc, ['-p', '.', '--pretty', 'false'], { cwd: folder }).catch(
    (error: unknown) => error as { readonly stdout: string },
  )
  errors = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(' '))
}, 120_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

describe.for(pages)('%s', (page) => {
  test('its code compiles', () => {
    expect(errorsOf(page)).toEqual([])
  })

  test('its links lead somewhere', () => {
    expect(brokenLinksOf(page)).toEqual([])
  })

  test('shows no code that is not compiled', () => {
    const infos = fencesOf(contentOf(page)).map(({ info }) => info)
    expect(
      infos.filter((info) => /^(ts|tsx|typescript|js|jsx|javascript|mjs|mts)\b/.test(info) && !/^ts( continues)?$/.test(info)),
    ).toEqual([])
  })
})

test('an error in the code of a page is found, on its line', () => {
  expect(errorsOf(plantedPage)).toEqual(["8: TS2322: Type 'number' is not assignable to type 'string'."])
})

test('nothing is wrong outside of the pages', () => {
  expect(errors.filter((error) => !/^.+--\d+\.ts\(/.test(error))).toEqual([])
})
