import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'

/** Text without control characters: mail may contain commands of terminals. */
export const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').replaceAll(/\p{Cf}/gu, '')

/** Text of exactly this width: cut in the middle if it is too long, or padded. */
export const fitted = (text: string, columns: number, side: 'left' | 'right' = 'left'): string => {
  const short = shortened(text, columns)
  const filling = ' '.repeat(Math.max(0, columns - stringWidth(short)))
  return side === 'left' ? short + filling : filling + short
}

/** Text of at most this width. */
export const shortened = (text: string, columns: number, position: 'middle' | 'end' = 'middle'): string =>
  columns <= 0 ? '' : cliTruncate(text, columns, { position })

export const widthOf = (text: string): number => stringWidth(text)

const numbers = new Intl.NumberFormat('en-GB')

export const number = (value: number): string => numbers.format(Math.round(value))

/** `3 mailboxes`, `1 mailbox`. */
export const counted = (count: number, one: string, many: string = `${one}s`): string => `${number(count)} ${count === 1 ? one : many}`
