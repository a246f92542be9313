import type { Options } from '@hotspan/browser'
import { HotspanProvider } from '@hotspan/browser/react'
import { lazy, Suspense, useState } from 'react'
import { createRoot } from 'react-dom/client'

const options = (globalThis as unknown as { HOTSPAN_TEST: Options }).HOTSPAN_TEST

/** Comes when the page says so, as a chunk that is slow. */
const Late = lazy(
  () =>
    new Promise<{ default: () => React.ReactNode }>((resolve) =>
      Object.assign(globalThis, { deliver: () => resolve({ default: () => <p id="late">late</p> }) }),
    ),
)
const Shelf = () => {
  const [open, setOpen] = useState(false)
  return (
    <>
      <button type="button" id="open" onClick={() => setOpen(true)}>
        open
      </button>
      <Suspense fallback={<i id="fallback">wait</i>}>{open && <Late />}</Suspense>
    </>
  )
}
const Fails = () => {
  const [fail, setFail] = useState(false)
  if (fail) throw new RangeError('provider saw it')
  return (
    <button type="button" id="fail" onClick={() => setFail(true)}>
      fail
    </button>
  )
}
createRoot(document.querySelector('#root')!).render(
  <HotspanProvider {...options} fallback={<p id="sorry">sorry</p>}>
    <Shelf />
    <Fails />
  </HotspanProvider>,
)
