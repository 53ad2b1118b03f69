// The dashboard of a real balancer in a real Chromium: it follows what commands do, and does the same by its buttons.
// WEIR_SCREENSHOTS=1 also takes the pictures of docs/images.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { adminUrl } from './lib/admin.ts'
import { startBalancer } from './lib/balancer.ts'
import { noBrowser, openPage, shownText, startBrowser } from './lib/browser.ts'
import { command } from './lib/command.ts'
import { serverStatus } from './lib/control.ts'
import { file } from './lib/file-scope.ts'
import { byPath, Gate, members, send } from './lib/member.ts'
import { showFleet } from './lib/show-fleet.ts'
import { until } from './lib/wait.ts'

const skip = noBrowser
const pictures = process.env['WEIR_SCREENSHOTS'] === '1'
/** A server's name may hold anything but spaces. */
const HOSTILE = '<img/src=x/onerror=alert(1)>'

const browser = skip ? undefined : await startBrowser(file)
const gate = new Gate()
const [a, b, c, x] = await members(file, 'abcx')
const named = (name: string, { address }: { address: string }) => ({ name, address })
const upstreams = {
  api: { balance: 'first', servers: [named('a', a!), named('b', b!)] },
  shop: { health: { http: '/health', interval: '200ms' }, servers: [named('c', c!)] },
  odd: { servers: [named(HOSTILE, x!)] },
}
const weir = await startBalancer(file, byPath(upstreams, { admin: { bind: '127.0.0.1:0' }, workers: 2 }))
file.after(() => gate.open())
const url = `${adminUrl(weir)}/`
const wide = { viewport: { width: 1360, height: 900 } }

test('it loads without a complaint and shows what is there', { skip }, async (t) => {
  const { page, complaints } = await openPage(browser!, url, wide)
  t.after(() => page.close())
  await page.locator('#main').waitFor()
  assert.match(await shownText(page.getByRole('region', { name: 'Upstream api' })), /api all 2 serve first.* a 127\.0\.0\.1:\d+ up 0 /)
  assert.match(await shownText(page.locator('#listeners')), /web http http:\/\/127\.0\.0\.1:\d+ \d+$/)
  assert.equal(await page.getByRole('row').filter({ hasText: HOSTILE }).count(), 1)
  const [worker] = weir.workerPids()
  await page.getByRole('cell', { name: String(worker), exact: true }).waitFor()
  // Checks come in, and requests are counted.
  const checks = page.getByRole('table', { name: 'Servers of shop' }).getByRole('img')
  await until(async () => /^\d+ checks, none failed$/.test((await checks.getAttribute('aria-label')) ?? ''))
  for (let i = 0; i < 20; i++) await (await fetch(weir.url('/api'))).text()
  await until(async () => /Requests [1-9]/.test(await shownText(page.locator('#figures'))))
  await until(async () => /Added by weir p99 [\d.]+ [µm]s/.test(await shownText(page.locator('#figures'))))
  assert.deepEqual(complaints, [])
})

test('a drain by command shows within a second, with what is still in flight', { skip }, async (t) => {
  const { page } = await openPage(browser!, url, wide)
  t.after(() => page.close())
  a!.handle = gate.handler('a')
  await send(t, weir.port(), 'GET /api')
  await until(() => gate.size === 1)
  const row = page.getByRole('table', { name: 'Servers of api' }).getByRole('row').nth(1)
  await row.getByText('up', { exact: true }).waitFor()

  // A second, on a machine that does nothing else: the best of some tries counts.
  const times: number[] = []
  while (times.length < 4 && !times.some((ms) => ms < 1_000)) {
    assert.equal((await command(weir, 'ready', 'api/a')).code, 0)
    await row.getByText('up', { exact: true }).waitFor({ timeout: 5_000 })
    assert.equal((await command(weir, 'drain', 'api/a')).code, 0)
    const since = performance.now()
    await row.getByText('draining', { exact: true }).waitFor({ timeout: 5_000 })
    times.push(performance.now() - since)
  }
  assert.ok(
    times.some((ms) => ms < 1_000),
    `it took ${times} ms`,
  )
  assert.match(await shownText(page.getByRole('region', { name: 'In progress' })), /drain api\/a .*1 in flight/)
  assert.equal(await page.getByRole('button', { name: 'drain api/a' }).getAttribute('aria-pressed'), 'true')
  gate.next()
  await row.getByText('drained', { exact: true }).waitFor({ timeout: 5_000 })
  a!.handle = (_req, res) => void res.end('a')
})

test('its buttons make ready, weigh and drain, and a refusal is told', { skip }, async (t) => {
  const { page, complaints } = await openPage(browser!, url, wide)
  t.after(() => page.close())
  const dialog = page.getByRole('dialog')
  const done = async (words: RegExp) => {
    await until(async () => words.test((await page.locator('#toast').textContent()) ?? ''))
  }
  const path = `${weir.folder}/weir.sock`
  await page.getByRole('button', { name: 'ready api/a' }).click()
  await dialog.getByRole('button', { name: 'Make ready' }).click()
  await done(/^api\/a is ready$/)
  assert.equal((await serverStatus(t, path, 'api/a')).state, 'up')

  await page.getByRole('button', { name: 'drain api/b' }).click()
  await dialog.getByRole('button', { name: 'Drain' }).click()
  await done(/^api\/b is drained$/)
  assert.equal((await serverStatus(t, path, 'api/b')).admin, 'drain')

  await page.getByRole('button', { name: /^Weight of api\/a/ }).click()
  await page.getByLabel('Weight', { exact: true }).fill('nonsense')
  await page.keyboard.press('Enter')
  await until(async () => /expected a share such as 50%/.test(await shownText(dialog)))
  await page.getByLabel('Weight', { exact: true }).fill('50%')
  await page.keyboard.press('Enter')
  await done(/^api\/a has 50% of its weight/)

  await page.getByRole('button', { name: 'maint shop/c' }).click()
  await dialog.getByRole('button', { name: 'Start maintenance' }).click()
  await until(async () => /Refused: shop\/c is the only server of shop/.test(await shownText(dialog)))
  await dialog.getByRole('checkbox', { name: 'Do it all the same' }).check()
  await dialog.getByRole('button', { name: 'Start maintenance' }).click()
  await done(/^shop\/c is in maintenance$/)
  assert.match(weir.log(), /HTTP from 127\.0\.0\.1/)
  for (const server of ['api/b', 'shop/c']) assert.equal((await command(weir, 'ready', server)).code, 0)
  assert.equal((await command(weir, 'weight', 'api/a', '100%')).code, 0)
  // The browser itself tells of answers that are refusals.
  assert.deepEqual(
    complaints.filter((text) => !/status of 4(00|09)/.test(text)),
    [],
  )
})

test('where there is a token it lets nobody see or do anything before the login, nor after the log-out', { skip }, async (t) => {
  const token = 'a-token-of-many-letters'
  const locked = await startBalancer(t, byPath({ api: upstreams.api }, { admin: { bind: '127.0.0.1:0', token } }))
  const { page } = await openPage(browser!, `${adminUrl(locked)}/`, wide)
  t.after(() => page.close())
  await page.getByLabel('Token').fill('something-else-of-many-letters')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText('That is not the token.').waitFor()
  assert.equal(await page.getByRole('row').count(), 0)
  await page.getByLabel('Token').fill(token)
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'drain api/a' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
  await page.getByRole('table', { name: 'Servers of api' }).getByText('drained', { exact: true }).waitFor({ timeout: 5_000 })
  await page.getByRole('button', { name: 'log out' }).click()
  await page.getByLabel('Token').waitFor()
  await page.reload()
  await page.getByLabel('Token').waitFor()
})

test('the pictures of the documentation', { skip: skip || (!pictures && 'WEIR_SCREENSHOTS=1 takes them') }, async (t) => {
  const fleet = await showFleet(t)
  const images = fileURLToPath(new URL('../../docs/images/', import.meta.url))
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }
  for (const [name, options] of [
    ['dashboard-light', { viewport: { width: 1360, height: 1150 }, colorScheme: 'light' }],
    ['dashboard-dark', { viewport: { width: 1360, height: 1150 }, colorScheme: 'dark' }],
    ['dashboard-phone', { ...phone, colorScheme: 'light' }],
  ] as const) {
    const { page } = await openPage(browser!, fleet.url, options)
    await delay(fleet.watchMs)
    await page.screenshot({ path: `${images}${name}.png` })
    await page.close()
  }
})
