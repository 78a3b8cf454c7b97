/**
 * Faults for tests: an interceptor for every call between a node and its adapters, and a small cluster whose nodes can be killed, frozen
 * and cut off.
 *
 * @packageDocumentation
 */
export type { Adapters } from './adapters.ts'
export { CallFaults } from './call-faults.ts'
export type { FaultMoment, Hold } from './call-faults.ts'
export { appendedBy, appendsOf, calls, onCalls, storageCalls } from './calls.ts'
export type { Call, CallFilter, CallHandlers, CallName, CallOf, CallPort, Calls, Interceptor, Next } from './calls.ts'
export { Cluster } from './cluster.ts'
export type { ClusterParts, Waiting, WrittenEvent } from './cluster.ts'
export type { ClusterNode, LoggedLine, NodeOptions, NotedCall } from './cluster-node.ts'
export type { DeliveryFaults } from './delivery-faults.ts'
export { heldTask } from './held-task.ts'
export type { HeldOptions, HeldRun, HeldTask } from './held-task.ts'
export { interceptedAdapters, interceptedMessaging, interceptedStorage } from './intercepted-adapters.ts'
export { never, NodeProcess } from './node-process.ts'
