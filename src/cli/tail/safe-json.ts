/**
 * JSON that does nothing to a terminal: characters that steer it, or turn the direction of a text, are written as escapes. They stand
 * inside strings only, so the value stays the same.
 */
export function safeJson(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu, (character) => {
    return [...Array(character.length).keys()].map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
  })
}
