import type { ConfigProblem } from './problem.ts'

/** A stretch of one line; line and column count from 1. */
export interface Place {
  line: number
  column: number
  length: number
}

/** Stands where a value could not be read, which has been reported; checks pass over it. */
export const unreadable = Symbol('unreadable')

/** A config as plain maps, lists and values, with the places they come from, and the problems found so far. */
export class ConfigDocument {
  readonly file: string
  value: unknown = null
  readonly problems: ConfigProblem[] = []
  readonly warnings: ConfigProblem[] = []
  /** Paths whose text came out of the environment: a number may stand there as text. */
  readonly expanded = new Set<string>()
  readonly #lines: string[]
  readonly #places = new Map<string, { key: Place | null; value: Place | null }>()

  /** `text` is null where the config is a value of a program and has no lines. */
  constructor(file: string, text: string | null) {
    this.file = file
    this.#lines = text === null ? [] : text.split(/\r\n|\n|\r/)
  }

  /** Remembers where the key and the value of a path stand. */
  place(path: string, places: { key: Place | null; value: Place | null }): void {
    this.#places.set(path, places)
  }

  /** The line of a path's key, or of its value; 0 without text. */
  lineOf(path: string): number {
    const places = this.#places.get(path)
    return (places?.key ?? places?.value)?.line ?? 0
  }

  /** Reports a problem of the value at `path`. */
  valueProblem(path: string, message: string, hint: string | null = null): void {
    const places = this.#places.get(path)
    this.problems.push(this.#problem(path, places?.value ?? places?.key ?? null, message, hint))
  }

  /** Reports a problem of the key at `path`. */
  keyProblem(path: string, message: string, hint: string | null = null): void {
    const places = this.#places.get(path)
    this.problems.push(this.#problem(path, places?.key ?? places?.value ?? null, message, hint))
  }

  /** Reports a problem at a place of the text, or of the whole file. */
  textProblem(place: Place | null, message: string, hint: string | null = null): void {
    this.problems.push(this.#problem('', place, message, hint))
  }

  /** Notes what is allowed and yet probably not meant. */
  valueWarning(path: string, message: string, hint: string | null = null): void {
    const places = this.#places.get(path)
    this.warnings.push(this.#problem(path, places?.value ?? places?.key ?? null, message, hint))
  }

  /** The same for the key at `path`. */
  keyWarning(path: string, message: string, hint: string | null = null): void {
    const places = this.#places.get(path)
    this.warnings.push(this.#problem(path, places?.key ?? places?.value ?? null, message, hint))
  }

  #problem(path: string, place: Place | null, message: string, hint: string | null): ConfigProblem {
    const text = place === null ? undefined : this.#lines[place.line - 1]
    return {
      file: this.file,
      line: place?.line ?? null,
      column: place?.column ?? null,
      path,
      message,
      hint,
      excerpt: place === null || text === undefined ? null : { text, length: place.length },
    }
  }
}
