/** The first 34 columns of HAProxy's statistics, in its order: tools know them by their places. */
export const statColumns = [
  ...(['pxname', 'svname', 'qcur', 'qmax', 'scur', 'smax', 'slim', 'stot', 'bin', 'bout', 'dreq', 'dresp', 'ereq', 'econ'] as const),
  ...(['eresp', 'wretr', 'wredis', 'status', 'weight', 'act', 'bck', 'chkfail', 'chkdown', 'lastchg', 'downtime', 'qlimit'] as const),
  ...(['pid', 'iid', 'sid', 'throttle', 'lbtot', 'tracked', 'type', 'rate'] as const),
]

/** A column that is left out stays empty: nobody counts it here. */
export type StatRow = { [C in (typeof statColumns)[number]]?: string | number } & {
  pxname: string
  svname: string
  status: string
  iid: number
  sid: number
  /** 0 frontend, 1 backend, 2 server. */
  type: 0 | 1 | 2
}
