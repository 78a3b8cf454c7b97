/** A value that JSON writes and reads back unchanged. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

/** An object whose every property is a {@link JsonValue}. */
export interface JsonObject {
  readonly [key: string]: JsonValue
}
