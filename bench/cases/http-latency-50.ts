// How long does a client wait when requests come at 50 % of the rate that nginx can take at most?
import { latencyCase } from '../lib/latency-case.ts'

export const httpLatency50 = latencyCase('http-latency-50', 0.5)
