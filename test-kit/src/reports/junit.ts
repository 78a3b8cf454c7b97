import type { Report, RuleResult } from '../framework/rule.ts'

/** The reports as JUnit XML, which every CI server reads. */
export const toJUnit = (reports: readonly Report[]): string =>
  ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...reports.map(suiteOf), '</testsuites>', ''].join('\n')

const suiteOf = ({ contract, subject, results }: Report): string => {
  const count = (status: RuleResult['status']): number => results.filter((result) => result.status === status).length
  const attributes = attributesOf({
    name: `${contract} (${subject})`,
    tests: results.length,
    failures: count('failed'),
    errors: count('error'),
    skipped: count('not shown'),
    time: seconds(results.reduce((sum, { ms }) => sum + ms, 0)),
  })
  return [`  <testsuite ${attributes}>`, ...results.map((result) => caseOf(`${contract} (${subject})`, result)), '  </testsuite>'].join(
    '\n',
  )
}

const caseOf = (suite: string, { id, title, status, ms, message = '' }: RuleResult): string => {
  const attributes = attributesOf({ classname: suite, name: `${id}: ${title}`, time: seconds(ms) })
  if (status === 'passed') return `    <testcase ${attributes}/>`
  const tag = status === 'failed' ? 'failure' : status === 'error' ? 'error' : 'skipped'
  // The first line of a failure repeats the name.
  const [first = '', second = first] = message.split('\n', 2)
  const firstLine = status === 'not shown' ? first : second
  return `    <testcase ${attributes}><${tag} ${attributesOf({ message: firstLine })}>${escaped(message)}</${tag}></testcase>`
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(3)

const attributesOf = (attributes: Readonly<Record<string, string | number>>): string =>
  Object.entries(attributes)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(' ')

// XML 1.0 cannot contain most control characters, nor halves of surrogate pairs: each becomes a replacement character.
const unwritable =
  // oxlint-disable-next-line no-control-regex -- these are replaced
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const escaped = (text: string): string =>
  text.replaceAll(unwritable, '\ufffd').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
