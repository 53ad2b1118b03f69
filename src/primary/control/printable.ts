/** A client may send any character. None of it may begin a new line of the log or steer a terminal. */
export function printable(text: string, most = 200): string {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text
  return cut.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd')
}
