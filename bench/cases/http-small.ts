// How much CPU does one small HTTP request cost, and how many does one worker on one core forward per second?
import { smallCase } from '../lib/small-case.ts'

export const httpSmall = smallCase('http-small', {
  workers: 1,
  goals: [
    { metric: 'cpuUs', label: 'CPU per request', against: 'peers', better: 'lower', must: 0.95, aim: 0.85 },
    { metric: 'rps', label: 'req/s of one core', against: 'peers', better: 'higher', must: 1.05, aim: 1.2 },
  ],
})
