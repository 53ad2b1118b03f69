/** The authority for development: its key and certificate, made once for a machine and kept in a folder. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { takeLock } from '../storage/file-lock.ts'
import { readPrivateFile, writePrivateFile } from '../storage/private-file.ts'
import { joinPem, type KeyAndCertificate, lifeOf, splitPem } from '../x509/key-and-certificate.ts'
import { makeCertificate } from '../x509/make-certificate.ts'

const DAY_MS = 24 * 60 * 60_000
const LIFE_MS = 10 * 365 * DAY_MS
/** A new one is made when the old one could not sign for so long any more. */
const LEAST_LEFT_MS = 30 * DAY_MS
/** Another process makes one within an instant. */
const LOCK_TRIES = 100
const LOCK_PAUSE_MS = 100

/** The authority's certificate, which `weir trust` installs. */
export const rootCertificateFile = (storage: string) => join(storage, 'root.crt')
const bothFile = (storage: string) => join(storage, 'root.pem')

/** The authority of this folder; null: there is none that is good for a while. @throws what the file system does */
export function readAuthority(storage: string, now = Date.now()): KeyAndCertificate | null {
  const both = splitPem(readPrivateFile(bothFile(storage)) ?? '')
  if (both === null) return null
  return lifeOf(both).notAfter - now > LEAST_LEFT_MS ? both : null
}

/** The authority of this folder, made when it is missing. Of several processes one makes it. @throws when that fails */
export async function openAuthority(storage: string, made: (sentence: string) => void): Promise<KeyAndCertificate> {
  for (let tries = 0; tries < LOCK_TRIES; tries++) {
    const known = readAuthority(storage)
    if (known !== null) return known
    const lock = await takeLock(join(storage, 'lock'))
    if (lock === null) {
      await delay(LOCK_PAUSE_MS)
      continue
    }
    try {
      // It may have been made between the look and the lock.
      return readAuthority(storage) ?? (await makeAuthority(storage, made))
    } finally {
      await lock.release()
    }
  }
  throw new Error(`another process holds ${join(storage, 'lock')}`)
}

async function makeAuthority(storage: string, made: (sentence: string) => void): Promise<KeyAndCertificate> {
  const now = Date.now()
  const life = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + LIFE_MS) }
  const root = await makeCertificate(
    { subject: `weir development authority of ${hostname()}`, names: [], isAuthority: true, ...life },
    null,
  )
  await writePrivateFile(rootCertificateFile(storage), root.certificate)
  await writePrivateFile(bothFile(storage), joinPem(root))
  made(`made an authority for development in ${storage}; "weir trust" makes this machine believe its certificates`)
  return root
}
