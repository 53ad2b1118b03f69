/** What each way to end means, and what to do about it. */
import { abi } from '../../native/abi.ts'
import { terminationWord } from '../../shared/termination.ts'

export interface Ending {
  meaning: string
  /** '' where there is nothing to do. */
  advice: string
}

type Name = Exclude<keyof typeof abi.termination, 'count'>

/** An ending without a row here does not compile. */
const endings: Record<Name, Ending> = {
  ok: { meaning: 'The response was passed on to its end.', advice: '' },
  clientAbort: {
    meaning: 'The client went away before it had everything.',
    advice: 'Where many do, it is mostly their own timeout: compare the total time with what the client waits.',
  },
  clientHeaderTimeout: {
    meaning: 'The client did not send its whole request head in time.',
    advice: 'Slow or hostile clients do; timeouts.header of the listener says how long they have.',
  },
  clientBodyTimeout: {
    meaning: 'The client stopped sending its request body for too long.',
    advice: 'timeouts.body of the listener says how long a pause may be.',
  },
  badRequest: {
    meaning: 'The request broke the rules of HTTP, or could be read in two ways.',
    advice: 'Look at the client, or at a proxy in front: such requests are never passed on.',
  },
  headerTooLarge: {
    meaning: 'The request head was larger than the listener takes.',
    advice: 'Often a cookie that grows; limits.headerBytes and limits.headers of the listener.',
  },
  bodyTooLarge: { meaning: 'The request body was larger than the listener takes.', advice: 'limits.bodyBytes of the listener.' },
  noRoute: {
    meaning: 'No route of the listener fits this request.',
    advice: 'weir explain METHOD URL says which routes were looked at, and why they do not fit.',
  },
  policyDenied: {
    meaning: 'A rule or a function of the config refused it.',
    advice: 'Look at the route: weir explain METHOD URL names it.',
  },
  rateLimited: { meaning: 'The client asked more often than it may.', advice: 'Raise the limit, or look at who this client is.' },
  noServer: {
    meaning: 'No server of the upstream could be used at that time.',
    advice: 'weir status says why each is not in use; hold of the upstream keeps requests until one is back.',
  },
  holdTimeout: {
    meaning: 'It was held until a server would be usable, and none was in time.',
    advice: 'weir status says what the servers wait for; hold.timeout of the upstream says how long requests are held.',
  },
  queueFull: {
    meaning: 'Every server was at its limit, and so many waited already that no more may.',
    advice: 'Add servers or raise maxConnections; queue.max of the upstream is how many may wait.',
  },
  queueTimeout: {
    meaning: 'Every server was at its limit for as long as a request may wait.',
    advice: 'Add servers or raise maxConnections; queue.timeout of the upstream is how long they wait.',
  },
  connectRefused: {
    meaning: 'No connection to a server could be made: it refused, or its host cannot be reached.',
    advice: 'Is its program running, and does it listen at that address? weir status shows the address and the last check.',
  },
  connectTimeout: {
    meaning: 'A server did not take a connection in time.',
    advice: 'Its host is gone, filtered by a firewall, or overloaded; timeouts.connect of the upstream.',
  },
  tlsFailed: { meaning: 'The TLS handshake failed.', advice: 'Compare protocol versions, names and certificates of both sides.' },
  firstByteTimeout: {
    meaning: 'A server took the request and did not begin to answer in time.',
    advice: 'Look at the server: it is slow or stuck; timeouts.firstByte of the upstream or the route.',
  },
  idleTimeout: {
    meaning: 'Nothing moved for too long, in either direction.',
    advice: 'timeouts.idle and timeouts.tunnel of the upstream; long polls and WebSockets need a sign of life, or more time.',
  },
  totalTimeout: {
    meaning: 'It took longer in all than a request may.',
    advice: 'timeouts.total of the route or the upstream.',
  },
  upstreamReset: {
    meaning: 'A server broke the connection off before its response was whole.',
    advice: 'Look in the log of the server at this time: it crashed, was stopped, or has a shorter timeout of its own.',
  },
  upstreamBadResponse: {
    meaning: 'What a server sent is no valid response.',
    advice: 'Look at the server: broken headers, lengths that are wrong, or it does not speak HTTP at all.',
  },
  staleConnection: {
    meaning: 'A pooled connection died as it was used again, and the request could not be sent once more.',
    advice: 'keepAlive.idleTimeout of the upstream should be shorter than that of the server.',
  },
  retryBudget: {
    meaning: 'It failed, and was not tried again: too many retries ran at that time.',
    advice: 'Many requests fail: look at the servers first. retry.budget of the upstream is the share that may be tried again.',
  },
  breakerOpen: {
    meaning: 'The circuit breaker of the upstream was open.',
    advice: 'Its servers failed too often before: weir status shows the breaker, and weir tail what fails.',
  },
  drainDeadline: {
    meaning: 'Its server was taken out of service, and it did not end in time.',
    advice: 'Give long requests more time when draining, or none by --cut.',
  },
  shutdown: {
    meaning: 'weir was stopped, and it did not end within the grace.',
    advice: 'shutdown.grace is how long requests have; weir upgrade and weir reload cut none.',
  },
  functionFailed: {
    meaning: 'A function of the config threw an error, or answered something that means nothing.',
    advice: "weir's own log has the error.",
  },
}

const byWord = new Map((Object.keys(endings) as Name[]).map((name) => [terminationWord(abi.termination[name]), endings[name]]))

/** Of a word of a record; null for a word of another version. */
export function endingOf(word: string): Ending | null {
  return byWord.get(word) ?? null
}
