import type { Socket } from 'node:net'

/** The process at the other end of a unix socket. */
export interface Peer {
  pid: number
  uid: number
}

/** By the descriptor of a connected unix socket: `SO_PEERCRED`. null when the kernel does not say. */
export type PeerOf = (fd: number) => Peer | null

/** Who it is, for the audit line. */
export function peerWords(socket: Socket, peerOf: PeerOf | undefined): string {
  // Node has no public way to the descriptor of a socket.
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd ?? -1
  const peer = fd < 0 ? null : (peerOf?.(fd) ?? null)
  return peer === null ? 'unknown process' : `pid ${peer.pid}, uid ${peer.uid}`
}
