// How much CPU does it cost to forward one gigabyte in response bodies of 1 MiB?
import { bodiesCase } from '../lib/bodies-case.ts'

export const httpLarge = bodiesCase('http-large', {
  bytes: 1_048_576,
  // Few, so that what is half transferred at the end of the run does not matter.
  connections: 16,
  goals: [{ metric: 'cpuMsPerGb', label: 'CPU per GB', against: 'peers', better: 'lower', must: 0.8, aim: 0.65 }],
})
