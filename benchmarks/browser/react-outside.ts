// Stands in for React where it is left out of a bundle: the page's own script brings the real one.
export class Component {}
export const Profiler = {}
export const createElement = (): null => null
export const version = '19.0.0'
