import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/reference/reading-tasks.md'), 'utf8')

const sourceOf = (file: string): ts.SourceFile =>
  ts.createSourceFile(file, readFileSync(join(root, 'packages/core/src', file), 'utf8'), ts.ScriptTarget.Latest, true)

/** The properties of an interface, an optional one with a question mark. */
const propertiesOf = (file: string, name: string): readonly string[] =>
  sourceOf(file)
    .statements.filter(ts.isInterfaceDeclaration)
    .filter((each) => each.name.text === name)
    .flatMap(({ members }) => [...members])
    .filter(ts.isPropertySignature)
    .map((property) => property.name.getText() + (property.questionToken === undefined ? '' : '?'))

/** The names of a union of named types. */
const membersOf = (file: string, name: string): readonly string[] =>
  sourceOf(file)
    .statements.filter(ts.isTypeAliasDeclaration)
    .filter((each) => each.name.text === name)
    .flatMap(({ type }) => (ts.isUnionTypeNode(type) ? type.types.map((each) => each.getText()) : []))

/** The first column of the tables of a section, table by table. */
const tablesOf = (heading: string): readonly (readonly string[])[] => {
  const [, section = ''] = page.split(`\n${heading}\n`)
  const tables = section.split(/\n#+ /)[0]?.split('\n\n') ?? []
  return tables.map((table) => [...table.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name = '']) => name)).filter((names) => names.length > 0)
}

const event = 'domain/task-event.ts'
const listQuery = 'application/queries/list-query.ts'
const options = [
  ...propertiesOf(listQuery, 'TaskQuery'),
  ...propertiesOf(listQuery, 'ListQuery'),
  ...propertiesOf('ports/call-options.ts', 'CallOptions'),
].map((option) => option.replace('?', ''))

/** For each section, the names in each of its tables. */
const sections: readonly (readonly [heading: string, tables: readonly (readonly string[])[]])[] = [
  ['## Details of a task', [propertiesOf('domain/task-details.ts', 'TaskDetails')]],
  ['### progress', [propertiesOf(event, 'TaskProgress')]],
  ['### error', [[...propertiesOf('domain/task-details.ts', 'AttemptError'), ...propertiesOf(event, 'TaskError')]]],
  ['## Options of a list', [options, propertiesOf('ports/task-listing.ts', 'TaskPage')]],
  ['## Notices', [propertiesOf('ports/event-bus.ts', 'TaskNotice'), [...membersOf(event, 'TaskEvent'), 'TaskProgress']]],
]

describe('the page about reading tasks', () => {
  it.for(sections)('%s has every name of the source, and no other', ([heading, expected]) => {
    expect(expected.flat().length).toBeGreaterThan(3)
    expect(tablesOf(heading).map((names) => names.toSorted())).toEqual(expected.map((names) => names.toSorted()))
  })
})
