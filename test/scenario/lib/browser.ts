/** A real Chromium, and what it complains about. */
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import { findProgram } from './programs.ts'
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

/** For the option `skip` of a test: why there is no browser, or false. */
export const noBrowser = findProgram('chromium') === undefined && 'needs chromium, which is not installed'

/** Starts the browser, which ends with the scope. Throws where there is none: see `noBrowser`. */
export async function startBrowser(scope: Scope): Promise<Browser> {
  const executablePath = findProgram('chromium')
  if (executablePath === undefined) throw new Error('there is no chromium')
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS, timeout: 30_000 })
  scope.after(() => browser.close())
  return browser
}

/** A new window, with the errors that its console has seen. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage(options)
  const complaints: string[] = []
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
  page.on('pageerror', (error) => void complaints.push(error.message))
  await page.goto(url, { waitUntil: 'load' })
  return { page, complaints }
}

/** What a reader sees of it, in one line, hidden parts left out. */
export async function shownText(part: Locator): Promise<string> {
  await part.waitFor({ state: 'attached' })
  return (await part.allInnerTexts()).join(' ').replace(/\s+/g, ' ').trim()
}
