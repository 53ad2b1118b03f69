/** A record as its JSON line tells of it; C++ twin: native/observe/log_line_json.cc. What has nothing to say is left out. */
export interface RecordLine {
  /** When it ended, ISO 8601 with milliseconds. */
  time?: string
  kind?: 'exchange' | 'tunnel'
  /** From 1. */
  worker?: number
  requestId?: string
  /** Address of who asked, past trusted proxies. */
  client?: string
  /** Address and port of who connected. */
  peer?: string
  listener?: string
  method?: string
  host?: string
  path?: string
  query?: string
  protocol?: string
  /** 0: none was sent. */
  status?: number
  termination?: string
  route?: string
  upstream?: string
  /** Its name in the upstream. */
  server?: string
  attempts?: number
  failedAttempts?: FailedAttempt[]
  isReused?: boolean
  isHedged?: boolean
  bytesIn?: number
  bytesOut?: number
  queueUs?: number
  connectUs?: number
  firstByteUs?: number
  totalUs?: number
  overheadUs?: number
  referer?: string
  userAgent?: string
  traceparent?: string
  /** By their names in lower case. */
  headers?: Record<string, string>
}

/** One attempt that came to nothing. */
export interface FailedAttempt {
  /** `upstream/server`. */
  server?: string
  /** A name of `abi.failure` in snake case. */
  reason: string
  /** Name of an errno, where there is one. */
  error?: string
  /** Of the response, where that is the reason. */
  status?: number
  /** When it failed, since the request began. */
  atUs: number
}

/** The record of a line; null when it is none. */
export function parseRecord(line: string): RecordLine | null {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null ? (value as RecordLine) : null
  } catch {
    return null
  }
}

/** `upstream/server` of the last server that was tried; '' without one. */
export function serverOf({ upstream, server }: RecordLine): string {
  return server === undefined || server === '' ? '' : `${upstream ?? ''}/${server}`
}

/** When it ended, in milliseconds since 1970; NaN when the line does not say. */
export function endedAtMs({ time }: RecordLine): number {
  return time === undefined ? Number.NaN : Date.parse(time)
}
