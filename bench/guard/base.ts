/** What this tree is compared with: where its branch left the main one, or the commit before it. Git is only asked, never told. */
import { spawnSync } from 'node:child_process'
import { realpathSync } from 'node:fs'

export interface Base {
  /** Full hash of a commit. */
  commit: string
  /** For people: `merge base with origin/main`. */
  what: string
}

/** No base, and why. */
export interface NoBase {
  commit: null
  what: string
}

const mainBranches = ['origin/HEAD', 'origin/main', 'origin/master', 'main', 'master']

/**
 * The commit that this checkout is compared with. `wanted` is a revision of the user's; throws an Error when there is none of that name.
 * Without it: the merge base of HEAD with the main branch where that is another commit than HEAD, else the first parent of HEAD.
 */
export function findBase(root: string, wanted?: string): Base | NoBase {
  const ask = git(root)
  const top = ask('rev-parse', '--show-toplevel')
  if (top.text === null) return { commit: null, what: `this is no git checkout that can be asked (${top.why})` }
  // Unpacked inside another project's checkout: its commits say nothing of ours.
  if (realpathSync(top.text) !== realpathSync(root)) return { commit: null, what: 'this tree is no checkout of its own' }
  const commitOf = (name: string) => ask('rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`).text
  if (wanted !== undefined) {
    const commit = commitOf(wanted)
    if (commit === null) throw new Error(`there is no commit named ${wanted} in this checkout`)
    return { commit, what: `${wanted}, as asked for` }
  }
  const head = commitOf('HEAD')
  if (head === null) return { commit: null, what: 'this checkout has no commit yet' }
  for (const branch of mainBranches) {
    if (commitOf(branch) === null) continue
    const commit = ask('merge-base', 'HEAD', branch).text
    if (commit !== null && commit !== head) return { commit, what: `merge base with ${branch}` }
  }
  const parent = commitOf('HEAD^1')
  return parent === null
    ? { commit: null, what: 'the history here ends at this commit (a shallow clone, or the first one)' }
    : { commit: parent, what: 'the commit before this one' }
}

interface Answer {
  text: string | null
  why: string
}

// Without the lock that even a question may take to refresh the index.
function git(root: string): (...words: string[]) => Answer {
  return (...words) => {
    const run = spawnSync('git', ['-C', root, ...words], { encoding: 'utf8', env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' } })
    if (run.error) return { text: null, why: 'git is not installed' }
    if (run.status !== 0) return { text: null, why: run.stderr.trim().split('\n')[0] ?? '' }
    return { text: run.stdout.trim() || null, why: 'no answer' }
  }
}
