import { nearest } from './nearest.ts'

const everywhere = ['client.ip', 'host', 'path', 'query', 'scheme', 'listener.port']

/** What `{name}` may stand for, by where it is written. */
export const placeholderNames: Record<'header' | 'redirect', readonly string[]> = {
  header: [...everywhere, 'client.port', 'method', 'request.id', 'server', 'upstream'],
  redirect: [...everywhere, 'port', 'request.uri'],
}

/** Placeholders of a text that do not exist there and would be sent as they stand, with the one that was probably meant. */
export function unknownPlaceholders(text: string, where: keyof typeof placeholderNames): { name: string; guess: string | null }[] {
  const valid = placeholderNames[where]
  const names = [...text.matchAll(/\{([a-z]+(?:[._-][a-z]+)*)\}/gi)].map((match) => match[1] ?? '')
  return names.filter((name) => !valid.includes(name)).map((name) => ({ name, guess: nearest(name, valid) }))
}
