import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { installedPackages } from './installed.ts'

const root = mkdtempSync(join(tmpdir(), 'hotspan-installed-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('a package above the main file, above the working directory, or below pnpm', () => {
  for (const folder of [
    'app/node_modules/koa',
    'app/src',
    'other/node_modules/.pnpm/node_modules/express',
    'other/bin',
  ])
    mkdirSync(join(root, folder), { recursive: true })
  const installed = installedPackages(join(root, 'app/src/main.js'), join(root, 'other/bin'))
  expect(['koa', 'express', 'hono'].map(installed)).toEqual([true, true, false])
})

test('where nothing is installed the way npm does it, everything may be there', () => {
  mkdirSync(join(root, 'bundle'), { recursive: true })
  expect(installedPackages(join(root, 'bundle/app.js'), join(root, 'bundle'))('koa')).toBe(true)
})
