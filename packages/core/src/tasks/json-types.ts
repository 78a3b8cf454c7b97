import type { JsonValue } from '../domain/json.ts'

/** Stands in a type for what JSON cannot hold. `Why` is for the messages of the compiler. */
export interface NotJson<Why extends string> {
  readonly '~notJson': Why
}

/**
 * `T`, with `NotJson` in place of each part that would be refused with `NOT_JSON`: a value of type `T` fits it if JSON can hold the
 * value. Unlike `JsonValue` it takes interfaces, and properties that may be `undefined`. It knows nothing about `unknown` and `any`.
 */
export type JsonOf<T> = unknown extends T
  ? T
  : T extends JsonValue | undefined | void
    ? T
    : T extends bigint
      ? NotJson<'a bigint: pass a string'>
      : T extends symbol
        ? NotJson<'a symbol: pass a string'>
        : T extends object
          ? JsonOfObject<T>
          : T

type JsonOfObject<T extends object> = T extends AnyFunction
  ? NotJson<'a function: pass data only'>
  : T extends Date
    ? NotJson<'a Date: pass its toISOString()'>
    : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
      ? NotJson<'a Map or Set: pass an array of its entries'>
      : T extends PromiseLike<unknown>
        ? NotJson<'a promise: await it first'>
        : T extends Error | RegExp | ArrayBuffer | ArrayBufferView
          ? NotJson<'an instance of a class: pass plain data'>
          : T extends readonly unknown[]
            ? { readonly [Index in keyof T]: JsonOfItem<T[Index]> }
            : { readonly [Name in keyof T as Name extends symbol ? never : Name]: JsonOf<T[Name]> }

type JsonOfItem<T> = T extends undefined ? NotJson<'undefined in an array: pass null'> : JsonOf<T>

type AnyFunction = ((...given: never[]) => unknown) | (abstract new (...given: never[]) => unknown)

/** `T` itself if JSON can hold it; otherwise a type that no value of type `T` fits. */
export type IfJson<T> = [T] extends [JsonOf<T>] ? T : T & JsonOf<T>
