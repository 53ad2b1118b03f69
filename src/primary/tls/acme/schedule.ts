/** When a certificate is renewed, and when a try that failed is repeated. Pure: takes the time and chance. All times are in ms since 1970. */

import type { Life } from '../x509/key-and-certificate.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

export interface Backoff {
  firstMs: number
  mostMs: number
}

/** An authority counts failed tries by the hour; what fails on and on is tried once a day. */
export const usualBackoff: Backoff = { firstMs: MINUTE_MS, mostMs: DAY_MS }

/** A server that asks for more patience than this is asked again all the same. */
const MOST_PATIENCE_MS = 7 * DAY_MS
/** Timers count time in which the machine sleeps wrongly, and others may renew what is in a shared folder. */
const LONGEST_LOOK_MS = HOUR_MS

/**
 * When a certificate is to be renewed: when so large a share of its life is left, or up to a tenth of that later, so that what was issued
 * together is not renewed together. `random` is from 0 to 1 and drawn once for each certificate.
 */
export function renewalTime({ notBefore, notAfter }: Life, renewBefore: number, random: number): number {
  const left = (notAfter - notBefore) * renewBefore
  return notAfter - left + (left / 10) * random
}

/** How long nothing is ordered after a success, whatever the config says: a tenth of the life, one hour at most. */
export function shortestGapMs({ notBefore, notAfter }: Life): number {
  return Math.min(HOUR_MS, Math.max(0, notAfter - notBefore) / 10)
}

/**
 * How long to wait after so many failures in a row: doubled each time, up to half longer by chance, and not longer than a quarter of what
 * a certificate that is in force has left (0: there is none). What the server asked for comes first.
 */
export function retryDelayMs(
  { failures, retryAfterMs, leftMs, random }: { failures: number; retryAfterMs: number; leftMs: number; random: number },
  { firstMs, mostMs }: Backoff = usualBackoff,
): number {
  const doubled = firstMs * 2 ** Math.min(failures - 1, 30) * (1 + random / 2)
  const most = leftMs > 0 ? Math.max(firstMs, Math.min(mostMs, leftMs / 4)) : mostMs
  return Math.max(Math.min(doubled, most), Math.min(retryAfterMs, MOST_PATIENCE_MS))
}

/** When to look next at a certificate that is renewed at `due`: then, and every hour at least. Milliseconds from now. */
export function nextLookMs(now: number, due: number): number {
  return Math.min(LONGEST_LOOK_MS, Math.max(0, due - now))
}
