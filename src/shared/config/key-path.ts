/** Key paths such as `listeners.web.routes[0].match`, the names of places in a configuration. */

/** The path of a key below `path`; keys that are no plain words stand in brackets and quotes. */
export function keyPath(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}

/** The path of an item of the list at `path`. */
export function itemPath(path: string, index: number): string {
  return `${path}[${index}]`
}
