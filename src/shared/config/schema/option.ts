import Type, {
  type Static,
  type TArray,
  type TLiteral,
  type TObject,
  type TOptional,
  type TRecord,
  type TSchema,
  type TUnion,
  type TUnsafe,
} from 'typebox'
import { type KindName, type KindValue, kinds } from '../kinds.ts'

/** When a changed value takes effect after a reload. */
export type Reload = 'live' | 'next-exchange' | 'new-connections' | 'drains' | 'restart'

interface Row {
  /** One or two sentences for the manual and for editors. */
  text: string
  reload: Reload
}

declare const decoded: unique symbol
declare const always: unique symbol

/** A schema whose checked value is a V, other than what is written in the file. */
export type Meaning<S, V> = S & { readonly [decoded]: V }

/** An option that may be left out and then has its default. */
export type Defaulted<S extends TSchema> = TOptional<S> & { readonly [always]: true }

type KeptKeys<P> = {
  [K in keyof P]: P[K] extends { readonly [always]: true } ? K : P[K] extends { '~optional': true } ? never : K
}[keyof P]

/** What the checker makes of a schema's value: defaults filled in, texts parsed. */
export type Decoded<S> = S extends { readonly [decoded]: infer V }
  ? V
  : S extends TObject<infer P>
    ? { [K in KeptKeys<P>]: Decoded<P[K]> } & { [K in Exclude<keyof P, KeptKeys<P>>]?: Decoded<P[K]> }
    : S extends TArray<infer I>
      ? Decoded<I>[]
      : S extends TRecord<string, infer V>
        ? Record<string, Decoded<V>>
        : S extends TUnion<infer U>
          ? Decoded<U[number]>
          : S extends TSchema
            ? Static<S>
            : never

/** An option with a default, written as it would stand in the file. */
export function option<S extends TSchema>(schema: S, row: Row & { default: unknown }): Defaulted<S> {
  return Type.Optional(annotated(schema, row, { default: row.default })) as unknown as Defaulted<S>
}

/** An option that may be left out and then does not exist. */
export function optional<S extends TSchema>(schema: S, row: Row): TOptional<S> {
  return Type.Optional(annotated(schema, row, {})) as TOptional<S>
}

/** An option that has to be given. */
export function required<S extends TSchema>(schema: S, row: Row): S {
  return annotated(schema, row, {})
}

/** A text of the given kind; bounds are on its parsed value, in milliseconds, bytes, or a share. */
export function text<K extends KindName>(
  name: K,
  bounds: { least?: number; most?: number } = {},
): Meaning<TUnsafe<TextInput<K>>, KindValue<K>> {
  const { pattern } = kinds[name] as { pattern?: string }
  const schema = {
    type: numericKinds.includes(name) ? ['string', name === 'tlsVersion' ? 'number' : 'integer'] : 'string',
    // An editor sees the file before ${NAME} is replaced.
    ...(pattern === undefined ? {} : { pattern: `${pattern}|\\$\\{` }),
    'x-kind': name,
    ...(bounds.least === undefined ? {} : { 'x-least': bounds.least }),
    ...(bounds.most === undefined ? {} : { 'x-most': bounds.most }),
  }
  return Type.Unsafe(schema) as unknown as Meaning<TUnsafe<TextInput<K>>, KindValue<K>>
}

/** Kinds that may be written as a plain number. */
type NumericKind = 'size' | 'portRange' | 'statusRange' | 'errorStatusRange' | 'account' | 'tlsVersion'

type TextInput<K extends KindName> = K extends NumericKind ? string | number : string

const numericKinds: readonly KindName[] = [
  'size',
  'portRange',
  'statusRange',
  'errorStatusRange',
  'account',
  'tlsVersion',
] satisfies NumericKind[]

/** One value, or a list, of at least one unless `least` is 0; the checker always makes a list of it. */
export function oneOrMany<S extends TSchema>(item: S, least: 0 | 1 = 1): Meaning<TUnsafe<Static<S> | Static<S>[]>, Decoded<S>[]> {
  const schema = { anyOf: [item, Type.Array(item, least === 0 ? {} : { minItems: 1 })], 'x-list': true }
  return Type.Unsafe(schema) as unknown as Meaning<TUnsafe<Static<S> | Static<S>[]>, Decoded<S>[]>
}

/** The word `off`, or what is in force otherwise. */
export function offOr<S extends TSchema>(schema: S): TUnion<[TLiteral<'off'>, S]> {
  return Type.Union([Type.Literal('off'), schema]) as TUnion<[TLiteral<'off'>, S]>
}

/** A map with free keys of one kind. */
export function mapOf<S extends TSchema>(key: KindName, value: S, options: { atLeastOne?: boolean } = {}): TRecord<string, S> {
  const bounds = options.atLeastOne ? { minProperties: 1 } : {}
  const schema = { type: 'object', additionalProperties: value, 'x-key': key, ...bounds }
  return Type.Unsafe(schema) as unknown as TRecord<string, S>
}

/** A map with these keys and no others. */
export function section<P extends Record<string, TSchema>>(properties: P): TObject<P> {
  return Type.Object(properties, { additionalProperties: false }) as TObject<P>
}

/** A function of a TypeScript config. */
export function functionOf<F>(): TUnsafe<F> {
  return Type.Unsafe<F>({ 'x-kind': 'function' })
}

function annotated<S extends TSchema>(schema: S, row: Row, extra: Record<string, unknown>): S {
  const notes = { description: row.text, 'x-reload': row.reload, ...extra }
  // A copy, as one schema may stand in several rows; the hidden marks of TypeBox travel with it.
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(schema), ...Object.getOwnPropertyDescriptors(notes) }) as S
}
