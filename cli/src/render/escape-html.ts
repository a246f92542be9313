import { visibleLine, visibleLines } from './visible-text.ts'

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!)

/** Outside text for element content and quoted attributes, on one line. */
export const escapeHtml = (text: string): string => escaped(visibleLine(text))

/** The same with its line breaks, for `<pre>`. */
export const escapeHtmlLines = (text: string): string => escaped(visibleLines(text))

/** A route or path, which may break behind its slashes. */
export const escapeHtmlPath = (text: string): string => escapeHtml(text).replace(/\/(?=.)/g, '/<wbr>')
