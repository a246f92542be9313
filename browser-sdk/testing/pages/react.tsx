import '@hotspan/browser/react'
import * as hotspan from '@hotspan/browser'
import { HotspanErrorBoundary, HotspanProfiler } from '@hotspan/browser/react'
import {
  createContext,
  memo,
  type ReactNode,
  StrictMode,
  useContext,
  useDeferredValue,
  useState,
} from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'

const page = globalThis as unknown as {
  HOTSPAN_TEST: hotspan.Options & { strict?: boolean; hydrate?: string }
}
const { strict, hydrate, ...options } = page.HOTSPAN_TEST
hotspan.init({ ...options, service: 'react-page' })
Object.assign(globalThis, { hotspan })

const STABLE = { color: 'red' }

/** No props: rendered again only because its parent is. */
const FromParent = () => <i>same</i>
/** Inline object and function: equal by value. */
const InlineProps = (props: { style: object; onPick: () => void }) => (
  <button type="button" style={props.style} onClick={props.onPick}>
    pick
  </button>
)
const MemoStable = memo(function MemoStable(props: { style: object }) {
  return <b style={props.style}>stable</b>
})
/** memo in vain. */
const MemoInline = memo(function MemoInline(props: { style: object }) {
  return <b style={props.style}>inline</b>
})
const MemoCompare = memo(
  function MemoCompare(props: { n: number; style: object }) {
    return <b style={props.style}>{props.n}</b>
  },
  (a, b) => a.n === b.n,
)
const ByValue = (props: { n: number }) => <u>{props.n}</u>
/** Output changes although nothing that comes in does. */
let impure = 0
const Impure = () => <s>{impure++}</s>
/** Elements as children are never compared: not judged. */
const WithChildren = (props: { children: ReactNode }) => <section>{props.children}</section>
/** A new key every time: mounts. */
const Keyed = () => <em>keyed</em>
const List = (props: { items: { id: number; label: string }[] }) => (
  <ul>
    {props.items.map((item) => (
      <Item key={item.id} item={item} />
    ))}
  </ul>
)
const Item = (props: { item: { id: number; label: string } }) => <li>{props.item.label}</li>
const Deferred = (props: { n: number }) => <q>{useDeferredValue(props.n)}</q>

const Theme = createContext({ name: 'dark', toggle: () => {} })
Theme.displayName = 'Theme'
const Themed = () => <span>{useContext(Theme).name}</span>
const ThemedMemo = memo(function ThemedMemo() {
  return <span>{useContext(Theme).name}</span>
})
const Counter = createContext(0)
Counter.displayName = 'Counter'
const Counted = memo(function Counted() {
  return <span>{useContext(Counter)}</span>
})

/** Renders 23 times a click of `#parent`; the context value is new each time and equal. */
const Parent = () => {
  const [n, setN] = useState(0)
  return (
    <div>
      <button type="button" id="parent" onClick={() => setN(n + 1)}>
        {n}
      </button>
      <FromParent />
      <InlineProps style={{ margin: 1 }} onPick={() => setN(0)} />
      <MemoStable style={STABLE} />
      <MemoInline style={{ margin: 2 }} />
      <MemoCompare n={1} style={{ margin: 3 }} />
      <ByValue n={n} />
      <Impure />
      <WithChildren>
        <FromParent />
      </WithChildren>
      <Keyed key={n} />
      <List
        items={[
          { id: 1, label: 'one' },
          { id: 2, label: `two ${n}` },
        ]}
      />
      <Deferred n={n} />
      <Theme.Provider value={{ name: 'dark', toggle: () => setN(0) }}>
        <Themed />
        <ThemedMemo />
      </Theme.Provider>
      <Counter.Provider value={n}>
        <Counted />
      </Counter.Provider>
    </div>
  )
}

const Leaf = () => {
  const [n, setN] = useState(0)
  return (
    <button type="button" id="leaf" onClick={() => setN(n + 1)}>
      {n}
    </button>
  )
}

const ROWS = Array.from({ length: 83 }, (_, row) => row)
const Row = (props: { n: number }) => <p>{props.n}</p>
/** More alike than anybody needs to compare. */
const Rows = () => {
  const [n, setN] = useState(0)
  return (
    <div>
      <button type="button" id="rows" onClick={() => setN(n + 1)}>
        {n}
      </button>
      {ROWS.map((row) => (
        <Row key={row} n={row} />
      ))}
    </div>
  )
}

const Fails = () => {
  const [fail, setFail] = useState(false)
  if (fail) throw new RangeError('render failed')
  return (
    <button type="button" id="fail" onClick={() => setFail(true)}>
      fail
    </button>
  )
}

const App = () => (
  <>
    <Parent />
    <HotspanProfiler id="leaf-area">
      <Leaf />
    </HotspanProfiler>
    <Rows />
    <HotspanErrorBoundary fallback={<p id="fallback">sorry</p>}>
      <Fails />
    </HotspanErrorBoundary>
  </>
)

const app = strict ? (
  <StrictMode>
    <App />
  </StrictMode>
) : (
  <App />
)
const container = document.querySelector('#root')!
if (hydrate) hydrateRoot(container, app)
else createRoot(container).render(app)
