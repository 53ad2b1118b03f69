import { type Parsed, parsed, refused } from './parsed.ts'

export type Environment = Record<string, string | undefined>

/**
 * Replaces `${NAME}` and `${NAME:-default}`; the default also stands for an empty variable, as in a shell.
 * `$${` is a literal `${`. A variable that is not set and has no default is an error.
 */
export function expandEnvironment(text: string, env: Environment): Parsed<string> {
  let problem: Parsed<string> | null = null
  const value = text.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole, inside: string | undefined, end: string | undefined) => {
    if (inside === undefined) return '${'
    const result = end === '' ? refused<string>('"${" without "}"', 'write "$${" for a literal "${"') : lookUp(inside, env)
    if (result.ok) return result.value
    problem ??= result
    return whole
  })
  return problem ?? parsed(value)
}

/** Whether the text holds anything that `expandEnvironment` would replace. */
export function holdsVariables(text: string): boolean {
  return text.includes('${')
}

function lookUp(inside: string, env: Environment): Parsed<string> {
  const match = /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(inside)
  if (inside.includes('${')) return refused('a default cannot hold a variable itself')
  if (!match) return refused(`"\${${inside}}" is no variable`, 'write ${NAME} or ${NAME:-default}; "$${" is a literal "${"')
  const [, name = '', fallback] = match
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  if (fallback !== undefined) return parsed(value === undefined || value === '' ? fallback : value)
  return value === undefined
    ? refused(`the environment variable ${name} is not set`, `set it, or write \${${name}:-default}`)
    : parsed(value)
}
