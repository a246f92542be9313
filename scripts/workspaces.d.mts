/** Folders of the npm workspaces, as the root package.json lists them. */
export const workspaces: readonly string[]
