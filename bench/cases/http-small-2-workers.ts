// How much CPU does one small HTTP request cost with two workers, and how many do they forward per second when they share the cores with the load?
import { smallCase } from '../lib/small-case.ts'

export const httpSmall2Workers = smallCase('http-small-2-workers', {
  workers: 2,
  goals: [{ metric: 'cpuUs', label: 'CPU per request', against: 'peers', better: 'lower' }],
})
