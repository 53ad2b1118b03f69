import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Challenges } from '../../../src/worker/challenge-answer.ts'

test('only paths of tokens that are there are answered', () => {
  const challenges = new Challenges()
  assert.equal(challenges.isEmpty, true)
  challenges.set({ token: 'token.thumbprint' })
  assert.equal(challenges.isEmpty, false)
  assert.equal(challenges.answer('/.well-known/acme-challenge/token'), 'token.thumbprint')
  for (const other of ['', 'token/', 'other', 'constructor', '__proto__', '../token'])
    assert.equal(challenges.answer(`/.well-known/acme-challenge/${other}`), undefined, other)
  for (const path of ['/', '/token', '/.well-known/acme-challenge', '/x/.well-known/acme-challenge/token'])
    assert.equal(challenges.answer(path), undefined, path)
  challenges.set({})
  assert.deepEqual([challenges.isEmpty, challenges.answer('/.well-known/acme-challenge/token')], [true, undefined])
})
