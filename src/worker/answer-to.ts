import type { Engine } from '../native/contract.ts'
import type { WorkerQuestion } from '../shared/ipc/protocol.ts'

/** Answers what the primary asks of this worker. */
export function answerTo(question: WorkerQuestion, engine: Engine): unknown {
  switch (question.what) {
    case 'tunnels':
      return engine.listTunnels(question.slot, question.most)
    case 'cut':
      return engine.cutTunnels(question.slot) + engine.cutExchanges(question.slot)
  }
}
