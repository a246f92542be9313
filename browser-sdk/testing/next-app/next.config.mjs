// Where the SDK's build is comes from the test: an application has it among its packages.
const sdk = process.env.HOTSPAN_SDK_DIST
const { HotspanPlugin } = await import(`${sdk}/build/webpack.js`)

export default {
  webpack: (config, { isServer, dev }) => {
    config.resolve.alias['@hotspan/browser/react$'] = new URL(`${sdk}/react/index.js`).pathname
    config.resolve.alias['@hotspan/browser/routers$'] = new URL(`${sdk}/routers/index.js`).pathname
    config.resolve.alias['@hotspan/browser$'] = new URL(`${sdk}/index.js`).pathname
    if (!isServer && !dev) config.plugins.push(new HotspanPlugin())
    return config
  },
}
