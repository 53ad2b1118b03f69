// How much CPU does it cost to forward one gigabyte in response bodies of 16 KiB?
import { bodiesCase } from '../lib/bodies-case.ts'

export const http16k = bodiesCase('http-16k', {
  bytes: 16_384,
  connections: 64,
  goals: [{ metric: 'cpuMsPerGb', label: 'CPU per GB', against: 'peers', better: 'lower' }],
})
