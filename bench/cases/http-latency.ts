// How long does a client wait when requests come at 70 % of the rate that nginx can take at most?
import { latencyCase } from '../lib/latency-case.ts'

export const httpLatency = latencyCase('http-latency', 0.7, { must: 1, aim: 0.8 })
