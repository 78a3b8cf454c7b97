import type { JsonValue, TaskDefinition } from '@taskledger/core'
import { defineTask, unchecked } from '@taskledger/core'

/** A task that returns its payload. */
export const echoTask: TaskDefinition<JsonValue, JsonValue> = defineTask({
  type: 'echo',
  payload: unchecked<JsonValue>(),
  run: ({ payload }) => payload,
})
