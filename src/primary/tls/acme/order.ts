/** One order (RFC 8555 7.4), from its names to the certificate. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Authorization, Client, Order } from 'acme-client'
import type { KeyAndCertificate } from '../x509/key-and-certificate.ts'
import { problemText } from './acme-requests.ts'

export interface OrderTask {
  client: Client
  domains: readonly string[]
  challenge: 'http-01' | 'tls-alpn-01'
  /** Puts the answers where the server looks for them; done when they are there. */
  publish(answers: readonly ChallengeAnswer[]): Promise<void>
  /** Makes a key and a signing request for it, in PEM. */
  makeRequest(): Promise<{ key: string; csr: string }>
  pace: Pace
  signal: AbortSignal
}

export interface ChallengeAnswer {
  domain: string
  token: string
  keyAuthorization: string
}

export interface Pace {
  /** The first wait for what the server does, and the longest. */
  pollMs: { first: number; most: number }
  /** In which it has to be done. */
  withinMs: number
}

/** Orders, proves that the names are ours, and fetches. @throws with the reason in words; then nothing has changed */
export async function orderCertificate(task: OrderTask): Promise<KeyAndCertificate> {
  const { client } = task
  const order = await client.createOrder({ identifiers: task.domains.map((value) => ({ type: 'dns', value })) })
  await prove(task, order)
  const { key, csr } = await task.makeRequest()
  await client.finalizeOrder(order, csr)
  const done = await settled(
    task,
    () => client.getOrder(order),
    ({ status }) => status === 'valid' || status === 'invalid',
  )
  if (done.status === 'invalid') throw new Error(`the order became invalid: ${problemText((done as { error?: unknown }).error)}`)
  return { key, certificate: await client.getCertificate(done) }
}

async function prove(task: OrderTask, order: Order): Promise<void> {
  const { client, challenge: type } = task
  const open = (await client.getAuthorizations(order)).filter(({ status }) => status === 'pending')
  if (open.length === 0) return
  const chosen = open.map((authorization) => ({ domain: authorization.identifier.value, challenge: challengeOf(authorization, type) }))
  const answers = chosen.map(async ({ domain, challenge }) => ({
    domain,
    token: challenge.token,
    keyAuthorization: await client.getChallengeKeyAuthorization(challenge),
  }))
  await task.publish(await Promise.all(answers))
  await Promise.all(chosen.map(({ challenge }) => client.completeChallenge(challenge)))
  const judged = await settled(
    task,
    () => client.getAuthorizations(order),
    (all) => all.every(({ status }) => status !== 'pending') || all.some(({ status }) => status === 'invalid'),
  )
  for (const authorization of judged) {
    if (authorization.status !== 'valid') throw new Error(failure(authorization, type))
  }
}

function challengeOf({ identifier, challenges }: Authorization, type: OrderTask['challenge']) {
  const found = challenges.find((challenge) => challenge.type === type)
  if (found === undefined) throw new Error(`the server offers no ${type} for ${identifier.value}: set \`challenge\` to another one`)
  return found
}

function failure({ identifier, challenges, status }: Authorization, type: OrderTask['challenge']): string {
  const error = challenges.map((challenge) => (challenge as { error?: unknown }).error).find((known) => known !== undefined)
  const reason = error === undefined ? `its authorization is ${status}` : problemText(error)
  return `${type} for ${identifier.value} failed: ${reason}`
}

/** Asks again and again, ever slower, until it is done. */
async function settled<T>({ pace, signal }: OrderTask, ask: () => Promise<T>, isDone: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + pace.withinMs
  for (let pause = pace.pollMs.first; ; pause = Math.min(pause * 1.5, pace.pollMs.most)) {
    const answer = await ask()
    if (isDone(answer)) return answer
    if (performance.now() > end) throw new Error(`the server did not get done within ${pace.withinMs / 1000} s`)
    await delay(pause, undefined, { signal })
  }
}
