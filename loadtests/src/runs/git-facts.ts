import { execFile } from 'node:child_process'

export interface GitFacts {
  /** Empty outside a repository or without git. */
  readonly commit: string
  /** Empty on a detached head, unless the CI names the branch. */
  readonly branch: string
  /** True when tracked files differ from the commit. */
  readonly dirty: boolean
}

/** What the code in `cwd` is. Never fails: a run outside a repository is still a run. */
export async function gitFacts(cwd: string = process.cwd()): Promise<GitFacts> {
  const [commit, branch, status] = await Promise.all([
    git(cwd, ['rev-parse', 'HEAD']),
    git(cwd, ['symbolic-ref', '--short', '-q', 'HEAD']),
    git(cwd, ['status', '--porcelain', '--untracked-files=no']),
  ])
  const ciBranch = process.env.GITHUB_HEAD_REF || process.env.GITHUB_REF_NAME || ''
  return { commit, branch: branch || (commit ? ciBranch : ''), dirty: status !== '' }
}

function git(cwd: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    // Optional locks are off: measuring must not get in the way of a commit.
    const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0' }
    execFile('git', args, { cwd, env, timeout: 10_000 }, (error, stdout) =>
      resolve(error ? '' : stdout.trim()),
    )
  })
}
