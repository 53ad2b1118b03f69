import { constants } from 'node:os'

/** How long a worker keeps away from a server that refused a connection. Only the primary calls a server down. */
export const DISTRUST_MS = 1000

const { EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL } = constants.errno
const ownShortage = new Set([EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL])

/** Whether a connect failed for want of something of our own, which says nothing about the server. */
export function isOwnShortage(errno: number): boolean {
  return ownShortage.has(errno)
}
