import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const root = join(import.meta.dirname, '../..')

/** A line that a package writes to its logger. */
export interface LogLine {
  readonly level: 'warn' | 'error'
  /** The message; `…` stands for the parts that vary. */
  readonly message: string
  /** `file:line`, for the message of a failed test. */
  readonly at: string
}

const messagesOf = (node: ts.Expression): readonly string[] | undefined => {
  if (ts.isStringLiteralLike(node)) return [node.text]
  if (ts.isTemplateExpression(node)) return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')]
  if (!ts.isConditionalExpression(node)) return undefined
  const [whenTrue, whenFalse] = [messagesOf(node.whenTrue), messagesOf(node.whenFalse)]
  return whenTrue === undefined || whenFalse === undefined ? undefined : [...whenTrue, ...whenFalse]
}

const isLevel = (name: string): name is LogLine['level'] => name === 'warn' || name === 'error'

/** The warnings and errors of one source. A message that is not written where it is logged is a fault: nobody could look it up. */
const linesOf = (file: string): readonly LogLine[] => {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
  const lines: LogLine[] = []
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit)
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return
    const { expression, name } = node.expression
    if (!isLevel(name.text) || !/logger$/i.test(expression.getText())) return
    const [, message] = node.arguments
    if (message === undefined) return
    const at = `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
    const messages = messagesOf(message)
    if (messages === undefined) throw new Error(`${at}: the message of a log line has to be a literal, not ${message.getText()}`)
    for (const each of messages) lines.push({ level: name.text, message: each, at })
  }
  visit(source)
  return lines
}

/** It adds fields to the lines of other files. */
const passesOn = 'packages/core/src/application/node/logging.ts'

/** Every warning and error that the packages for production log. */
export const logLines = (): readonly LogLine[] =>
  globSync('packages/{core,cassandra,rabbitmq}/src/**/*.ts', { cwd: root, exclude: [passesOn] })
    .toSorted()
    .flatMap(linesOf)
