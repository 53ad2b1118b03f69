// The page of the dashboard in a real Chromium, over views that the test makes up: what it shows, asks and says, to everybody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { noBrowser, openPage, shownText, startBrowser } from './lib/browser.ts'
import { fakeAdmin } from './lib/fake-admin.ts'
import { file } from './lib/file-scope.ts'
import { liveServer, liveView } from './lib/live-views.ts'
import { until } from './lib/wait.ts'

const wide = { viewport: { width: 1360, height: 900 } }
const skip = noBrowser
const browser = skip ? undefined : await startBrowser(file)

let view = liveView()
const admin = await fakeAdmin(file, (window) => ({ ...view, window }))

/** The page with this view, once it is drawn. */
async function opened(now = liveView(), options: Parameters<typeof openPage>[2] = wide): Promise<{ page: Page; complaints: string[] }> {
  view = now
  const { page, complaints } = await openPage(browser!, admin.url, options)
  await page.locator('#main').waitFor()
  return { page, complaints }
}

/** Everything that stands in a part of the page, in one line. */
const textOf = (page: Page, selector: string) => shownText(page.locator(selector))
/** Name of what has the focus. */
const focused = (page: Page) => page.evaluate<string>('document.activeElement.ariaLabel ?? document.activeElement.textContent')
const row = (page: Page, name: string) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) })

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 20 && (await focused(page)) !== name; presses++) await page.keyboard.press('Tab')
  assert.equal(await focused(page), name)
}

test('it shows totals, what weir added, servers, routes, listeners, workers and work', { skip }, async (t) => {
  const { page, complaints } = await opened(liveView(5))
  t.after(() => page.close())
  assert.match(await textOf(page, '.bar'), /weir 0\.1\.0, generation 42, up 3 d 3 h .*live/)
  assert.match(await textOf(page, '#figures'), /Requests 1,966\/s .*Errors 0\.21% .*p50 2\.36 ms p99 16\.5 ms p99\.9 36\.4 ms/)
  assert.match(await textOf(page, '.figure.added'), /Added by weir p99 90 µs p50 31 µs, p99\.9 172 µs/)
  assert.match(await textOf(page, '#work'), /drain images\/east 4 in flight for 17 s/)
  assert.match(await shownText(row(page, 'south')), /down L4CON connection refused, 9 bad checks/)
  assert.match(await shownText(row(page, 'spare')), /10\.0\.0\.\d+:9001, backup/)
  assert.match(await shownText(row(page, 'img.example.com')), /web 14 170 1\.3%/)
  assert.match(await textOf(page, '#listeners'), /db tcp 127\.0\.0\.1:5432 24/)
  assert.match(await textOf(page, '#workers'), /2 ready 4102 418 12 1/)
  assert.match(await textOf(page, '#terminations'), /ok 99\.79% 18,362 client_abort 0\.11% 21/)
  const checks = row(page, 'south').getByRole('img')
  assert.equal(await checks.getAttribute('aria-label'), '64 checks, 9 failed, the last one among them')
  const plot = page.locator('#distribution').getByRole('img')
  assert.match((await plot.getAttribute('aria-label')) ?? '', /of 18,400 responses: half took up to 2\.36 ms, 99% up to 16\.5 ms/)
  assert.ok(((await plot.locator('.bars').getAttribute('d')) ?? '').split('M').length > 30)
  assert.equal(await page.title(), '1 server down · weir')
  assert.deepEqual(complaints, [])
})

test('it is drawn anew each second, and the figures of another stretch of time are asked for', { skip }, async (t) => {
  const { page } = await opened(liveView(1))
  t.after(() => page.close())
  view = liveView(4)
  await page.getByText(`${Math.round(view.rates.requestsPerSecond).toLocaleString('en-US')}/s`).waitFor({ timeout: 3_000 })
  const asked = page.waitForRequest((request) => request.url().endsWith('/api/live/stream?window=5m'))
  await page.getByText('5 min').click()
  await asked
  // An empty view and a fleet that is gone leave no trace of what was there.
  view = liveView(0, '5m', { upstreams: [], routes: [], work: [], terminations: {}, distribution: [], latency: liveServer('a/b').latency })
  admin.send()
  await page.getByText('The config has no upstreams.').waitFor()
  assert.match(await textOf(page, '#terminations'), /nothing ended in this time/)
  assert.equal(await page.locator('#work').isHidden(), true)
  assert.equal(await page.title(), 'weir')
})

test('a drain by keyboard: the dialog says what will happen, Escape leaves it, Enter does it', { skip }, async (t) => {
  const { page } = await opened()
  t.after(() => page.close())
  await page.locator('#filter').focus()
  await tabTo(page, 'drain api/a')
  assert.notEqual(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none')
  admin.commands.length = 0
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Drain api/a?' })
  assert.match(await shownText(dialog), /gets no new requests and connections.* The 7 that are in flight there finish/s)
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  assert.equal(await focused(page), 'drain api/a')
  // A new view in between does not take the focus away.
  admin.send()
  await page.keyboard.press('Enter')
  await tabTo(page, 'Drain')
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
  assert.deepEqual(admin.commands, [{ verb: 'drain', server: 'api/a' }])
  assert.equal(await shownText(page.getByRole('status')), 'api/a: drain done')
})

test('a refusal is told in words, and done when it is said twice', { skip }, async (t) => {
  const { page } = await opened()
  t.after(() => page.close())
  admin.commands.length = 0
  const message = 'api/a is the only server of api, and draining it would leave no server; use --force to do it all the same'
  const usual = admin.answer
  admin.answer = (command) =>
    command['force'] === true
      ? usual(command)
      : { status: 409, body: { schema: 'weir.error/1', error: { code: 'refused', message, exit: 5 } } }
  t.after(() => {
    admin.answer = usual
  })
  await page.getByRole('button', { name: 'maint api/a' }).click()
  const dialog = page.getByRole('dialog')
  assert.equal(await dialog.getByRole('checkbox').count(), 0)
  await dialog.getByRole('button', { name: 'Start maintenance' }).click()
  const alert = dialog.getByRole('alert')
  await until(async () => (await shownText(alert)) !== '')
  assert.equal(await shownText(alert), 'Refused: api/a is the only server of api, and draining it would leave no server')
  await dialog.getByRole('checkbox', { name: 'Do it all the same' }).check()
  await dialog.getByRole('button', { name: 'Start maintenance' }).click()
  await dialog.waitFor({ state: 'hidden' })
  assert.deepEqual(admin.commands.at(-1), { verb: 'maint', server: 'api/a', force: true })
  admin.answer = usual
  await page.getByRole('button', { name: /^Weight of api\/b/ }).click()
  await page.getByLabel('Weight', { exact: true }).fill('50%')
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
  assert.deepEqual(admin.commands.at(-1), { verb: 'weight', server: 'api/b', weight: '50%' })
})

test('changes of state are announced, figures never', { skip }, async (t) => {
  const { page } = await opened()
  t.after(() => page.close())
  const status = page.locator('#announcement')
  assert.equal(await status.textContent(), '')
  const [api, images] = liveView().upstreams
  const servers = api!.servers.map((server) => (server.name === 'b' ? { ...server, state: 'down', reason: 'L4CON' } : server))
  view = liveView(9, '10s', { upstreams: [{ ...api!, servers }, images!] })
  admin.send()
  await until(async () => (await status.textContent()) === 'api/b is down.')
  await page.evaluate(
    'new MutationObserver(() => { window.spoken = (window.spoken ?? 0) + 1 }).observe(document.getElementById("announcement"), { childList: true, characterData: true, subtree: true })',
  )
  for (let second = 10; second < 14; second++) {
    view = { ...liveView(second), upstreams: view.upstreams }
    admin.send()
  }
  await page.getByText(`${Math.round(view.rates.requestsPerSecond).toLocaleString('en-US')}/s`).waitFor()
  assert.equal(await page.evaluate('window.spoken ?? 0'), 0)
  assert.deepEqual(await page.evaluate('[...document.querySelectorAll("[aria-live]")].map((node) => node.id)'), ['announcement'])
})

test('it says when it is cut off and when its data is old, and comes back by itself', { skip }, async (t) => {
  const { page } = await opened()
  t.after(() => page.close())
  t.after(() => {
    admin.isAway = false
    admin.isSilent = false
  })
  admin.isSilent = true
  await page.getByText(/weir has sent nothing for \d+ s: what you see is \d+ s old/).waitFor({ timeout: 8_000 })
  assert.equal(await textOf(page, '#link'), 'no news')
  admin.isSilent = false
  await until(async () => (await textOf(page, '#link')) === 'live')
  admin.isAway = true
  await page.getByText(/The connection to weir is lost: what you see is \d+ s old/).waitFor()
  assert.equal(await textOf(page, '#link'), 'reconnecting')
  admin.isAway = false
  await until(async () => (await textOf(page, '#link')) === 'live', { within: 12_000 })
  assert.equal(await page.locator('#notice').isHidden(), true)
  assert.equal(await page.locator('#announcement').textContent(), 'Connected to weir again.')
})

test('where a token is asked for there is a login, which says when the token is wrong', { skip }, async (t) => {
  admin.token = 'open-sesame'
  t.after(() => {
    admin.token = null
  })
  const { page } = await openPage(browser!, admin.url, wide)
  t.after(() => page.close())
  const token = page.getByLabel('Token')
  await token.fill('wrong')
  await page.keyboard.press('Enter')
  await page.getByText('That is not the token.').waitFor()
  await token.fill('open-sesame')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.locator('#main').waitFor()
  assert.match(await textOf(page, '#link'), /live/)
  // The cookie lasts, and a token that has changed asks for a login again.
  await page.reload()
  await page.locator('#main').waitFor()
  admin.token = 'another'
  await page.getByRole('button', { name: 'ready api/a' }).click()
  await page.getByRole('button', { name: 'Make ready' }).click()
  await token.waitFor()
  assert.equal(await page.locator('#main').isHidden(), true)
})

test('names cannot become part of the page', { skip }, async (t) => {
  const hostile = '<img/src=x/onerror=document.title="taken">"\'><script>document.title="taken"</script>'
  const base = liveView()
  const upstream = {
    ...base.upstreams[0]!,
    name: hostile,
    servers: [liveServer(`x/${hostile}`, { reason: hostile, address: hostile, state: hostile })],
  }
  const { page, complaints } = await opened({
    ...base,
    version: hostile,
    upstreams: [upstream],
    routes: base.routes.map((route) => ({ ...route, name: hostile })),
    terminations: { [hostile]: 3 },
    work: [{ kind: 'drain', subject: hostile, progress: hostile, startedAt: hostile }],
  })
  t.after(() => page.close())
  await page.getByRole('button', { name: /^drain x/ }).click()
  assert.ok((await shownText(page.getByRole('dialog'))).includes(hostile))
  assert.equal(await page.locator('img, script:not([src])').count(), 0)
  assert.equal(await page.title(), 'weir')
  assert.deepEqual(complaints, [])
})

test('on a phone, a tablet and a small desk nothing sticks out, and every control can be reached', { skip }, async (t) => {
  const { page } = await opened(liveView(), { viewport: { width: 320, height: 700 } })
  t.after(() => page.close())
  for (const width of [320, 390, 760, 761, 1024, 1160, 1161, 1360]) {
    await page.setViewportSize({ width, height: 800 })
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    assert.equal(await page.evaluate(overflow), 0, `at ${width}`)
    const box = await page.getByRole('button', { name: 'maint images/south' }).boundingBox()
    assert.ok(box !== null && box.x >= 0 && box.x + box.width <= width, `the buttons at ${width}`)
  }
  // The rows are still a table for those who listen.
  await page.setViewportSize({ width: 390, height: 800 })
  assert.equal(await page.getByRole('table', { name: 'Servers of api' }).getByRole('row').count(), 5)
  assert.equal(await page.getByRole('columnheader', { name: 'Added p99' }).count(), 3)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every text has a contrast of at least 4.5 to what is behind it (${colorScheme})`, { skip }, async (t) => {
    const { page } = await opened(liveView(), { ...wide, colorScheme })
    t.after(() => page.close())
    await page.getByRole('button', { name: 'drain api/a' }).click()
    assert.deepEqual(await page.evaluate(CONTRAST), [])
    const ground = (await page.evaluate('getComputedStyle(document.body).backgroundColor')) as string
    assert.equal(Number(/\d+/.exec(ground)?.[0]) < 128, colorScheme === 'dark', ground)
  })
}

/** Texts with too little contrast (WCAG 2.2, 1.4.3), in the page: each element that holds text, against the first ground behind it. */
const CONTRAST = `(() => {
  const light = (channel) => (channel / 255 <= 0.03928 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4)
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b)
  const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number)
  const groundOf = (node) => {
    for (let at = node; at !== null; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor)
      if (colour.length === 3 || colour[3] === 1) return colour
    }
    return [255, 255, 255]
  }
  const own = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== '')
  const shown = [...document.querySelectorAll('body *')].filter((node) => own(node) && node.checkVisibility() && node.closest('.hidden, .skip, noscript') === null)
  if (shown.length < 100) return ['only ' + shown.length + ' texts were found']
  return shown.flatMap((node) => {
    const style = getComputedStyle(node)
    const [a, b] = [numbers(node instanceof SVGElement ? style.fill : style.color), groundOf(node)].map(luminance)
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    return contrast < 4.5 ? [node.className + ' ' + node.textContent.trim() + ' ' + contrast.toFixed(2)] : []
  })
})()`
