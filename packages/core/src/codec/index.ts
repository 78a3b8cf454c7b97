/**
 * Writes and reads events, messages, notices and rows as text: for adapters whose engine stores text or bytes.
 *
 * @packageDocumentation
 */
export { decodeEvent, encodeEvent } from './event-codec.ts'
export { decodeMessage, decodeNotice, encodeMessage, encodeNotice, shownMessage } from './message-codec.ts'
export {
  decodeDetails,
  decodeNode,
  decodeNodeEntry,
  decodeProgress,
  decodeRow,
  encodeDetails,
  encodeNode,
  encodeProgress,
} from './details-codec.ts'
