import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ballot } from '../../../src/primary/ballot.ts'

async function stateOf({ result }: Ballot): Promise<string> {
  return Promise.race([
    result.then(() => 'agreed').catch((error: Error) => error.message),
    new Promise<string>((r) => setImmediate(() => r('open'))),
  ])
}

test('it settles when the last one agrees', async () => {
  const ballot = new Ballot([0, 1], 7)
  ballot.agree(0, 7)
  assert.equal(await stateOf(ballot), 'open')
  ballot.agree(1, 8)
  assert.equal(await stateOf(ballot), 'agreed')
})

test('what was said of an earlier generation is no agreement', async () => {
  const ballot = new Ballot([0], 7)
  ballot.agree(0, 6)
  assert.equal(await stateOf(ballot), 'open')
  ballot.agree(0, 7)
  assert.equal(await stateOf(ballot), 'agreed')
})

test('the first refusal decides, and who says nothing is named', async () => {
  const refused = new Ballot([0, 1], 1)
  refused.refuse('no')
  refused.refuse('never')
  assert.equal(await stateOf(refused), 'no')
  const late = new Ballot([0, 2], 1, 1)
  late.agree(0, 1)
  await assert.rejects(late.result, /^Error: worker 3 did not answer within 0\.001 s$/)
  assert.equal(await stateOf(new Ballot([], 1)), 'agreed')
})
