import type { TaskDetails } from '../domain/task-details.ts'
import type { TaskProgress } from '../domain/task-event.ts'
import type { ListingPosition } from '../ports/listing-cursor.ts'
import type { NodeInfo, UnreadableNode } from '../ports/node-registry.ts'
import { codeOf } from '../ports/shared/errors.ts'
import type { UnreadableRow } from '../ports/task-listing.ts'
import {
  isAnything,
  isCount,
  isCounts,
  isFlag,
  isId,
  isNumber,
  isShape,
  isStatus,
  isText,
  isTexts,
  optional,
  parseRecord,
  pick,
  writeRecord,
} from './fields.ts'

const progressFields = { attempt: isCount, sequence: isCount, at: isNumber, value: isAnything }

const detailsFields = {
  taskId: isId,
  type: isText,
  typeVersion: isCount,
  status: isStatus,
  version: isCount,
  queue: isText,
  labels: isTexts,
  createdAt: isNumber,
  createdOn: isText,
  updatedAt: isNumber,
  updatedOn: optional(isText),
  attempt: isCount,
  fence: optional(isCount),
  dueAt: optional(isNumber),
  startedAt: optional(isNumber),
  node: optional(isText),
  cancelRequestedAt: optional(isNumber),
  cancelRequestedBy: optional(isText),
  cancelReason: optional(isText),
  abandoned: optional(isFlag),
  finishedAt: optional(isNumber),
  result: optional(isAnything),
  crashes: optional(isCount),
  error: optional(isShape({ name: isText, message: isText, stack: optional(isText), code: optional(isText), attempt: optional(isCount) })),
  progress: optional(isShape(progressFields)),
  timeoutMs: optional(isNumber),
  idempotencyKey: optional(isText),
  retryOf: optional(isId),
}

const nodeFields = {
  nodeId: isText,
  name: isText,
  startedAt: isNumber,
  renewedAt: isNumber,
  queues: isCounts,
  running: isCount,
  delivered: isCounts,
  beat: optional(isCount),
  blocked: optional(isCounts),
}

/**
 * The details as text: JSON with the version of this codec.
 *
 * @throws `MALFORMED` if {@link decodeDetails} could not read them back.
 */
export const encodeDetails = (details: TaskDetails): string => writeRecord('details', details, detailsFields)

/**
 * Reads the details of a task.
 *
 * @throws `MALFORMED` if the text is something else.
 */
export const decodeDetails = (text: string): TaskDetails =>
  pick('details', parseRecord('details', text), detailsFields) as unknown as TaskDetails

/**
 * Reads the details of a row of a listing. A row that cannot be read keeps its place: the listing has to name it.
 *
 * @param row The keys of the row, which are stored beside its details.
 */
export const decodeRow = (text: string, row: ListingPosition): TaskDetails | UnreadableRow => {
  const { taskId, createdAt } = row
  try {
    const details = decodeDetails(text)
    if (details.taskId === taskId && details.createdAt === createdAt) return details
    return { taskId, createdAt, unreadable: `its details are those of task ${details.taskId}, created at ${details.createdAt}` }
  } catch (error) {
    if (codeOf(error) !== 'MALFORMED') throw error
    return { taskId, createdAt, unreadable: (error as Error).message }
  }
}

/**
 * The progress as text: JSON with the version of this codec.
 *
 * @throws `MALFORMED` if {@link decodeProgress} could not read it back.
 */
export const encodeProgress = (progress: TaskProgress): string => writeRecord('progress', progress, progressFields)

/**
 * Reads the progress of a task.
 *
 * @throws `MALFORMED` if the text is something else.
 */
export const decodeProgress = (text: string): TaskProgress =>
  pick('progress', parseRecord('progress', text), progressFields) as unknown as TaskProgress

/**
 * The node as text: JSON with the version of this codec.
 *
 * @throws `MALFORMED` if {@link decodeNode} could not read it back.
 */
export const encodeNode = (node: NodeInfo): string => writeRecord('node', node, nodeFields)

/**
 * Reads a node.
 *
 * @throws `MALFORMED` if the text is something else.
 */
export const decodeNode = (text: string): NodeInfo => pick('node', parseRecord('node', text), nodeFields) as unknown as NodeInfo

/**
 * Reads the entry of a node in a registry. A node whose entry cannot be read is alive all the same: the registry has to show it.
 *
 * @param nodeId The key of the entry, which is stored beside it.
 */
export const decodeNodeEntry = (text: string, nodeId: string): NodeInfo | UnreadableNode => {
  try {
    const node = decodeNode(text)
    return node.nodeId === nodeId ? node : { nodeId, unreadable: `its entry is that of node ${node.nodeId}` }
  } catch (error) {
    if (codeOf(error) !== 'MALFORMED') throw error
    return { nodeId, unreadable: (error as Error).message }
  }
}
