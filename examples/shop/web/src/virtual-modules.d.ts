declare module 'virtual:place-names/all' {
  export const all: Readonly<Record<string, import('../build/place-names.ts').PlaceNames>>
}

declare module 'virtual:place-names/each' {
  export const each: Readonly<
    Record<string, () => Promise<{ default: import('../build/place-names.ts').PlaceNames }>>
  >
}
