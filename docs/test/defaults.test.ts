import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** The required properties whose comment speaks of a default, each as `file:line name`. */
const requiredWithDefault = (file: string, text: string): readonly string[] => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit)
    if (!ts.isPropertySignature(node) || node.questionToken !== undefined) return
    const comment = ts.getLeadingCommentRanges(text, node.pos)?.map(({ pos, end }) => text.slice(pos, end)) ?? []
    if (!/\bDefault\b/.test(comment.join('\n'))) return
    found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.name.getText()}`)
  }
  visit(source)
  return found
}

describe('the comments of options', () => {
  it('are searched for a default of a required property', () => {
    const text =
      'interface Some {\n  /** Its name. Default: none. */\n  readonly name: string\n  /** Default 4. */\n  readonly slots?: number\n}'
    expect(requiredWithDefault('some.ts', text)).toEqual(['some.ts:3 name'])
  })

  it('name a default only for properties that may be left out', () => {
    const files = globSync(['packages/*/src/**/*.ts', 'test-kit/src/**/*.ts'], { cwd: root })
    expect(files.flatMap((file) => requiredWithDefault(file, readFileSync(join(root, file), 'utf8')))).toEqual([])
  })
})
