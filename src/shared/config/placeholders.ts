import { nearest } from './nearest.ts'

/** What `{name}` may stand for in header values and redirect targets. */
export const placeholderNames = [
  'client.ip',
  'client.port',
  'host',
  'method',
  'path',
  'scheme',
  'request.id',
  'server',
  'upstream',
  'listener.port',
] as const

/** Placeholders of a text that do not exist and would be sent as they stand, with the one that was probably meant. */
export function unknownPlaceholders(text: string): { name: string; guess: string | null }[] {
  const names = [...text.matchAll(/\{([a-z]+(?:[._-][a-z]+)*)\}/gi)].map((match) => match[1] ?? '')
  const unknown = names.filter((name) => !(placeholderNames as readonly string[]).includes(name))
  return unknown.map((name) => ({ name, guess: nearest(name, placeholderNames) }))
}
