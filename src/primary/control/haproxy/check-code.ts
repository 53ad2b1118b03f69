import type { ProbeCode } from '../../health/probe.ts'

/** Numbers of check statuses in HAProxy's state file. */
export const checkStatus: Readonly<Record<ProbeCode, number>> = {
  SOCKERR: 5,
  L4OK: 6,
  L4TOUT: 7,
  L4CON: 8,
  L6OK: 9,
  L6TOUT: 10,
  L6RSP: 11,
  L7TOUT: 12,
  L7RSP: 13,
  L7OK: 15,
  L7OKC: 16,
  L7STS: 17,
}

/** Of a server without a check, or before its first. */
export const notChecked = 1
