// A real browser loads a page with its assets through the balancer, without a complaint.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WebSocketServer } from 'ws'
import { startBalancer } from './lib/balancer.ts'
import { startBrowser } from './lib/browser.ts'
import { config } from './lib/config.ts'
import { needs } from './lib/programs.ts'
import { type Handler, startServer } from './lib/server.ts'

const PAGE = `<!doctype html><title>weir</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css">
<h1>loading</h1><img src="/image.svg" alt=""><script type="module" src="/script.js"></script>`
const SCRIPT = `
const say = (id, text) => { const p = document.createElement('p'); p.id = id; p.textContent = text; document.body.append(p) }
document.querySelector('h1').textContent = 'ready'
fetch('/echo', { method: 'POST', body: 'from the page' }).then((r) => r.text()).then((text) => say('fetched', text))
const events = new EventSource('/events')
events.onmessage = (event) => { say('event', event.data); events.close() }
const socket = new WebSocket('ws://' + location.host + '/socket')
socket.onopen = () => socket.send('hello')
socket.onmessage = (event) => say('socket', event.data)
`
const files: Record<string, [type: string, body: string]> = {
  '/': ['text/html', PAGE],
  '/style.css': ['text/css', 'h1 { color: rgb(1, 2, 3) }'],
  '/script.js': ['text/javascript', SCRIPT],
  '/image.svg': ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"/>'],
}

const application: Handler = (req, res, seen) => {
  if (req.url === '/echo') return void res.end(`echo: ${seen.body}`)
  if (req.url === '/events') return void res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: an event\n\n')
  const [type, body] = files[req.url ?? ''] ?? ['text/plain', '']
  res.writeHead(body === '' ? 404 : 200, { 'content-type': type }).end(body)
}

test('Chromium loads a page with style, script, image, fetch, events and a WebSocket', async (t) => {
  if (needs(t, 'chromium') === undefined) return
  const server = await startServer(t, application)
  const sockets = new WebSocketServer({ server: server.http, path: '/socket' })
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo: ${data}`)))
  const weir = await startBalancer(t, config({ servers: [server.address] }), { workers: 2 })
  const browser = await startBrowser(t)

  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
  page.on('pageerror', (error) => void complaints.push(error.message))
  page.on('requestfailed', (request) => void complaints.push(`${request.url()} ${request.failure()?.errorText}`))
  await page.goto(weir.url(), { waitUntil: 'load' })

  for (const [id, text] of [
    ['fetched', 'echo: from the page'],
    ['event', 'an event'],
    ['socket', 'echo: hello'],
  ] as const) {
    assert.equal(await page.locator(`#${id}`).textContent({ timeout: 5_000 }), text)
  }
  assert.equal(await page.locator('h1').textContent(), 'ready')
  assert.equal(await page.evaluate('getComputedStyle(document.querySelector("h1")).color'), 'rgb(1, 2, 3)')
  assert.equal(await page.evaluate('document.images[0].naturalWidth'), 40)
  assert.deepEqual(
    complaints.filter((text) => !text.includes('/events')),
    [],
  )
})
