/** What the prelude leaves for the SDK, at the top of an application's entry; absent without our plugins. */
declare global {
  /** Resource attributes: the id under which the build's source maps are stored. */
  var HOTSPAN_BUILD: Readonly<Record<string, string>> | undefined
  /** A component's name with the key by which the source maps know its function: `t~1xk3f9a`; '' when it is no function. */
  var HOTSPAN_NAME: ((type: object) => string) | undefined
}

/**
 * Below the key of `function-key.ts`, of the function inside of memo and forwardRef, once for each function. In the prelude
 * and not in the SDK: only builds whose keys can be resolved pay for it.
 */
const NAME_SOURCE =
  '(m=>t=>{let f=t,n="",k,h=2166136261,i=0;' +
  'for(;f&&typeof f=="object";f=f.type||f.render)n=n||f.displayName;' +
  'if(typeof f!="function")return"";' +
  'if(!(k=m.get(f))){' +
  'const s=Function.prototype.toString.call(f);' +
  'for(;i<s.length;)h=Math.imul(h^s.charCodeAt(i++),16777619);' +
  'm.set(f,k="~"+(h>>>0).toString(36))}' +
  'return(n||f.displayName||f.name||"Anonymous")+k})(new WeakMap)'

/** Statement at the top of an entry, on a line of its own. Plain data and a function: nothing that a CSP or Trusted Types refuse. */
export const preludeOf = (buildId: string): string =>
  `globalThis.HOTSPAN_BUILD={"hotspan.build.id":"${buildId}"};globalThis.HOTSPAN_NAME=${NAME_SOURCE};\n`

const DIRECTIVE = /^(?:\s*(?:"[^"\\\n]*"|'[^'\\\n]*')\s*;)+/

/** The code with the prelude in its first line, after the directives ("use strict"), which must stay first: they are repeated. */
export const withPrelude = (code: string, buildId: string): string =>
  `${(DIRECTIVE.exec(code)?.[0] ?? '').trim()}${preludeOf(buildId)}${code}`
