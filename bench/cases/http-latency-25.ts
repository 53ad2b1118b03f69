// How long does a client wait when requests come at 25 % of the rate that nginx can take at most?
import { latencyCase } from '../lib/latency-case.ts'

export const httpLatency25 = latencyCase('http-latency-25', 0.25)
