import { expect, test } from 'vitest'
import { hostile, hostileReport } from '../testing/reports.ts'
import { codeSpan, escapeMarkdown, renderMarkdown } from './markdown.ts'

test('outside text is neither markup nor a mention nor a link', () => {
  expect(escapeMarkdown('**b** [x](y) <b> @me a|b')).toBe(
    '\\*\\*b\\*\\* \\[x\\]\\(y\\) \\<b\\> @<!-- -->me a\\|b',
  )
  expect(escapeMarkdown('- item')).toBe('\\- item')
  expect(escapeMarkdown('1. item')).toBe('1\\. item')
})

test('inline code holds any run of backticks', () => {
  expect(codeSpan('a')).toBe('`a`')
  expect(codeSpan('a`b')).toBe('``a`b``')
  expect(codeSpan('``')).toBe('``` `` ```')
})

/** The text without code and without escaped characters: what Markdown would interpret. */
const interpreted = (markdown: string): string =>
  markdown
    .replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
    .replace(/\\[!-/:-@[-`{-~]|(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '_')

test.each(Object.entries(hostile))('hostile names (%s) break no fence, table or link', (_kind, text) => {
  const markdown = renderMarkdown(hostileReport(text))
  const rest = interpreted(markdown)
  expect(rest.replace(/<!-- -->/g, ' ')).not.toMatch(/<|\]\(|@\w|:\/\/|www\.\w/)
  for (const row of markdown.split('\n').filter((line) => line.startsWith('| HIGH'))) {
    expect(row.replace(/\\\|/g, '').match(/\|/g)).toHaveLength(5)
  }
  expect(markdown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
})
