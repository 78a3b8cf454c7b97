export const noHeader = 'it has no header'

/**
 * The defects of a message that can be seen without parsing it: the parser accepts everything, and reports nothing.
 */
export const defectsOf = (message: Buffer, isCut: boolean): readonly string[] => {
  if (message.length === 0) return ['it is empty']
  const head = message.toString('latin1', 0, Math.min(headEnd(message), checkedBytes))
  if (!/^[!-9;-~]+[ \t]*:/m.test(head)) return [noHeader]
  return [...multipartDefects(head, message, isCut), ...charsetDefects(message.toString('latin1', 0, checkedBytes))]
}

/** The position of the body, with the empty line before it. */
export const headEnd = (message: Buffer): number => {
  const ends = [message.indexOf('\n\n'), message.indexOf('\n\r\n')].filter((at) => at !== -1)
  return ends.length === 0 ? message.length : Math.min(...ends)
}

/** Later bytes belong to attachments, and would take long. */
const checkedBytes = 1024 * 1024

const contentType = /^content-type[ \t]*:(.*(?:\r?\n[ \t].*)*)/gim

const multipartDefects = (head: string, message: Buffer, isCut: boolean): readonly string[] => {
  const [, type = ''] = new RegExp(contentType.source, 'im').exec(head) ?? []
  if (!/^\s*multipart\//i.test(type)) return []
  const [, quoted, bare] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(type) ?? []
  const boundary = quoted ?? bare
  if (boundary === undefined) return ['it has parts, but no boundary']
  if (!message.includes(`\n--${boundary}`, 0, 'latin1')) return ['its parts are missing']
  return isCut || message.includes(`\n--${boundary}--`, 0, 'latin1') ? [] : ['it breaks off in the middle of its parts']
}

const charsetDefects = (text: string): readonly string[] => {
  const charsets = new Set<string>()
  for (const [, type = ''] of text.matchAll(contentType)) {
    const [, charset] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type) ?? []
    if (charset !== undefined && !isKnownCharset(charset)) charsets.add(charset.slice(0, 40))
  }
  return [...charsets].slice(0, 3).map((charset) => `its charset "${charset}" is unknown`)
}

/** Other names of charsets that the platform knows; the parser has a longer list. */
const otherNames =
  /^(?:x-|cs)?(?:(?:cp|ms|windows-?)(?:932|936|949|950|874)|windows-31j|iso-?2022-?jp-?[12]|uhc|tis-?620|iso-8859-8-[ie])$/i

const isKnownCharset = (charset: string): boolean => {
  try {
    return new TextDecoder(charset).encoding !== ''
  } catch {
    return otherNames.test(charset)
  }
}
