/**
 * How events, messages, notices and rows are written: for adapters whose engine keeps text or bytes.
 *
 * @packageDocumentation
 */
export { decodeEvent, encodeEvent } from './event-codec.ts'
export { decodeMessage, decodeNotice, encodeMessage, encodeNotice } from './message-codec.ts'
export { decodeDetails, decodeNode, decodeProgress, encodeDetails, encodeNode, encodeProgress } from './details-codec.ts'
