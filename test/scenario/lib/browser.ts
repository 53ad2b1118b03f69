/** A real Chromium, and what it complains about. */
import type { TestContext } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { needs } from './programs.ts'
import type { Scope } from './wait.ts'

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts the browser, which ends with the scope; undefined where there is none, and the test is skipped then. */
export async function startBrowser(t: TestContext, scope: Scope = t): Promise<Browser | undefined> {
  const executablePath = needs(t, 'chromium')
  if (executablePath === undefined) return undefined
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS, timeout: 30_000 })
  scope.after(() => browser.close())
  return browser
}

/** A new window, with the errors that its console has seen. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage(options)
  const complaints: string[] = []
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
  page.on('pageerror', (error) => void complaints.push(error.message))
  await page.goto(url, { waitUntil: 'load' })
  return { page, complaints }
}
