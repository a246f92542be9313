/**
 * Text from outside (span names, statements, error messages) made harmless for every output: control characters that a terminal
 * would obey and marks that reorder or hide text become visible escapes. Letters of every script stay as they are.
 */
const hidden =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const escapeOf = (character: string): string => {
  const code = character.charCodeAt(0)
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`
}

/** Several lines: newlines and tabs stay, CR LF becomes a newline. */
export const visibleLines = (text: string): string => text.replace(/\r\n/g, '\n').replace(hidden, escapeOf)

/** One line: every run of white space becomes one space. */
export const visibleLine = (text: string): string => visibleLines(text).replace(/\s+/g, ' ').trim()

/** Cut to `width` characters, the cut shown. */
export const cut = (text: string, width: number): string =>
  text.length <= width ? text : width <= 3 ? text.slice(0, width) : `${text.slice(0, width - 3)}...`
