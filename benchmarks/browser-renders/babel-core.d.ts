// The package carries no types; only what bundle-page.ts uses is declared.
declare module '@babel/core' {
  export function transformAsync(
    code: string,
    options: object,
  ): Promise<{ readonly code?: string | null } | null>
}
