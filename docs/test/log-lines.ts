import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const root = join(import.meta.dirname, '../..')

/** A line that a package writes to its logger. */
export interface LogLine {
  readonly level: 'warn' | 'error' | 'warn or error'
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

const levels = ['warn', 'error'] as const

/** The level of `logger.warn` and `logger['warn']`. For `logger[level]`, whose level varies: both. `undefined` if it is no warning or error. */
const levelOf = (node: ts.Node): LogLine['level'] | undefined => {
  if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return undefined
  if (!/logger$/i.test(node.expression.getText())) return undefined
  const name = ts.isPropertyAccessExpression(node) ? node.name : node.argumentExpression
  if (ts.isElementAccessExpression(node) && !ts.isStringLiteralLike(name)) return 'warn or error'
  return levels.find((level) => level === (name as ts.Identifier | ts.StringLiteralLike).text)
}

/** Whether `const { warn } = logger` takes a method from a logger, so that a call of it would not be found. */
const takesMethod = (node: ts.Node): boolean =>
  ts.isVariableDeclaration(node) &&
  ts.isObjectBindingPattern(node.name) &&
  /logger$/i.test(node.initializer?.getText() ?? '') &&
  node.name.elements.some(({ name, propertyName = name }) => levels.some((level) => level === propertyName.getText()))

/** The warnings and errors of one source. A message that is not written where it is logged is a fault: nobody could look it up. */
export const linesOf = (file: string, text: string): readonly LogLine[] => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const lines: LogLine[] = []
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit)
    const at = `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
    if (takesMethod(node)) throw new Error(`${at}: call the method on its logger, or the log line cannot be found`)
    const level = levelOf(node)
    if (level === undefined) return
    const { parent } = node
    if (!ts.isCallExpression(parent) || parent.expression !== node)
      throw new Error(`${at}: call the method where it is read, or the log line cannot be found`)
    const [, message] = parent.arguments
    const messages = message && messagesOf(message)
    if (messages === undefined) throw new Error(`${at}: the message of a log line has to be a literal, not ${message?.getText()}`)
    for (const each of messages) lines.push({ level, message: each, at })
  }
  visit(source)
  return lines
}

/** They pass on the lines of other files. */
const passOn = ['packages/core/src/application/node/logging.ts', 'packages/core/src/ports/shared/logger.ts']

/** Every warning and error that the packages for production log. */
export const logLines = (): readonly LogLine[] =>
  globSync('packages/{core,cassandra,rabbitmq}/src/**/*.ts', { cwd: root, exclude: passOn })
    .toSorted()
    .flatMap((file) => linesOf(file, readFileSync(join(root, file), 'utf8')))
