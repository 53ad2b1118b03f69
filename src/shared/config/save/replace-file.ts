import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Puts a file with this text, and the mode and owner of the old one, in the place of a file. Throws what the file system does. */
export async function replaceFile(target: string, text: string): Promise<void> {
  const old = await stat(target)
  const beside = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`)
  // Nobody but us may read it before it has its mode: a config can hold secrets.
  const file = await open(beside, 'wx', 0o600)
  try {
    await filled(file, text, old)
    await rename(beside, target)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  await synced(dirname(target))
}

/** The owner first, as changing it can clear bits of the mode. */
async function filled(file: FileHandle, text: string, old: Stats): Promise<void> {
  try {
    const now = await file.stat()
    if (now.uid !== old.uid || now.gid !== old.gid) await file.chown(old.uid, old.gid)
    await file.chmod(old.mode & 0o7777)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The new name lasts when its directory is on the disk. */
async function synced(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
