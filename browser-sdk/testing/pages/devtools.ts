import * as hotspan from '@hotspan/browser'

hotspan.init((globalThis as unknown as { HOTSPAN_TEST: hotspan.Options }).HOTSPAN_TEST, [
  hotspan.devtoolsTracks,
])
