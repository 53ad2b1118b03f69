import type { VerbName } from '../../shared/control/requests.ts'
import type { Verb } from './verb.ts'
import { addVerb } from './verbs/add.ts'
import { cutVerb } from './verbs/cut.ts'
import { drainVerb } from './verbs/drain.ts'
import { figuresVerb } from './verbs/figures.ts'
import { liveVerb } from './verbs/live.ts'
import { maintVerb } from './verbs/maint.ts'
import { planVerb } from './verbs/plan.ts'
import { readyVerb } from './verbs/ready.ts'
import { reloadVerb } from './verbs/reload.ts'
import { removeVerb } from './verbs/remove.ts'
import { saveVerb } from './verbs/save.ts'
import { sessionsVerb } from './verbs/sessions.ts'
import { statusVerb } from './verbs/status.ts'
import { stopVerb } from './verbs/stop.ts'
import { tailVerb } from './verbs/tail.ts'
import { upgradeVerb } from './verbs/upgrade.ts'
import { waitVerb } from './verbs/wait.ts'
import { weightVerb } from './verbs/weight.ts'
import { whyVerb } from './verbs/why.ts'
import { workersVerb } from './verbs/workers.ts'

/** A verb of the contract without a row here does not compile. */
export const verbTable: { [V in VerbName]: Verb<V> } = {
  status: statusVerb,
  workers: workersVerb,
  figures: figuresVerb,
  live: liveVerb,
  sessions: sessionsVerb,
  tail: tailVerb,
  why: whyVerb,
  drain: drainVerb,
  maint: maintVerb,
  ready: readyVerb,
  weight: weightVerb,
  add: addVerb,
  remove: removeVerb,
  cut: cutVerb,
  wait: waitVerb,
  plan: planVerb,
  reload: reloadVerb,
  save: saveVerb,
  upgrade: upgradeVerb,
  stop: stopVerb,
}
