// The labelled page. A component's name is its label: `Waste...` renders in vain at every click, `Need...` has a reason, `Still...`
// does not render at all. Where one click renders several of a kind, `expected` in labels.ts says how many.
import '@hotspan/browser/react'
import { init } from '@hotspan/browser'
import {
  Component,
  createContext,
  forwardRef,
  lazy,
  memo,
  type ReactNode,
  StrictMode,
  Suspense,
  useContext,
  useMemo,
  useReducer,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { createRoot } from 'react-dom/client'

init({ endpoint: RECEIVER, service: 'renders' })

declare const RECEIVER: string
declare const STRICT: boolean

interface Style {
  readonly margin: number
}

// Props that a parent makes anew.
const WasteNoProps = () => (
  <i>
    same <WasteNested />
  </i>
)
const WasteNested = () => <u>nested</u>
const WasteInlineObject = (props: { style: Style }) => <b style={props.style}>object</b>
const WasteInlineArray = (props: { items: number[] }) => <b>{props.items.length}</b>
const WasteInlineFunction = (props: { onPick: () => void }) => (
  <button type="button" onClick={props.onPick}>
    pick
  </button>
)
const WasteDeepObject = (props: { of: { a: { b: number[] } } }) => <b>{props.of.a.b.join()}</b>
const WasteTextChildren = (props: { children: ReactNode }) => <p>{props.children}</p>
const WasteForwardRef = forwardRef<HTMLElement, { style: Style }>(function WasteForwardRef(props, ref) {
  return (
    <b ref={ref} style={props.style}>
      ref
    </b>
  )
})
class WasteClass extends Component<{ style: Style }> {
  override render() {
    return <b style={this.props.style}>class</b>
  }
}
const WasteHooks = () => {
  const seen = useRef(0)
  const list = useMemo(() => [1, 2, 3], [])
  const [own] = useState(4)
  return (
    <b ref={() => void seen.current++}>
      {list.length} {own}
    </b>
  )
}
const WasteFragment = () => (
  <>
    <b>one</b>
    <b>two</b>
  </>
)
const WasteNothing = () => null

const PropsParent = () => {
  const [n, setN] = useState(0)
  return (
    <div>
      <button type="button" id="props" onClick={() => setN(n + 1)}>
        {n}
      </button>
      <WasteNoProps />
      <WasteInlineObject style={{ margin: 1 }} />
      <WasteInlineArray items={[1, 2]} />
      <WasteInlineFunction onPick={() => setN(0)} />
      <WasteDeepObject of={{ a: { b: [1, 2] } }} />
      <WasteTextChildren>only text</WasteTextChildren>
      <WasteForwardRef style={{ margin: 2 }} />
      <WasteClass style={{ margin: 3 }} />
      <WasteHooks />
      <WasteFragment />
      <WasteNothing />
    </div>
  )
}

// memo, context, keys, lazy, the compiler.
const WasteMemoObject = memo(function WasteMemoObject(props: { style: Style }) {
  return <b style={props.style}>memo</b>
})
const WasteMemoFunction = memo(function WasteMemoFunction(props: { onPick: () => void }) {
  return (
    <button type="button" onClick={props.onPick}>
      memo
    </button>
  )
})
const StillMemo = memo(function StillMemo(props: { style: Style }) {
  return <b style={props.style}>still</b>
})
const StillCompare = memo(
  function StillCompare(props: { n: number; style: Style }) {
    return <b style={props.style}>{props.n}</b>
  },
  (before, after) => before.n === after.n,
)
const Theme = createContext({ name: 'dark', toggle: () => {} })
const WasteContext = () => <b>{useContext(Theme).name}</b>
const WasteMemoContext = memo(function WasteMemoContext() {
  return <b>{useContext(Theme).name}</b>
})
const WasteKeyedRow = (props: { row: { id: number; name: string } }) => <li>{props.row.name}</li>
const MixedRow = (props: { row: { id: number; name: string } }) => <li>{props.row.name}</li>
const WasteLazy = lazy(async () => ({ default: WasteLazyInner }))
const WasteLazyInner = (props: { style: Style }) => <b style={props.style}>lazy</b>
const WasteCompiled = (props: { style: Style }) => {
  'use memo'
  return <b style={props.style}>compiled</b>
}
const StillCompiledChild = (props: { style: Style }) => <b style={props.style}>spared</b>
const NeedCompiled = (props: { n: number }) => {
  'use memo'
  return (
    <p>
      {props.n}
      <StillCompiledChild style={{ margin: 1 }} />
    </p>
  )
}
const SAME = { margin: 9 }

const MemoParent = () => {
  const [n, setN] = useState(0)
  return (
    <div>
      <button type="button" id="memo" onClick={() => setN(n + 1)}>
        {n}
      </button>
      <WasteMemoObject style={{ margin: 1 }} />
      <WasteMemoFunction onPick={() => setN(0)} />
      <StillMemo style={SAME} />
      <StillCompare n={1} style={{ margin: 2 }} />
      <Theme.Provider value={{ name: 'dark', toggle: () => setN(0) }}>
        <WasteContext />
        <WasteMemoContext />
      </Theme.Provider>
      <ul>
        {[1, 2, 3].map((id) => (
          <WasteKeyedRow key={id} row={{ id, name: `row ${id}` }} />
        ))}
        {[1, 2].map((id) => (
          <MixedRow key={id} row={{ id, name: id === 1 ? `row ${n}` : 'row' }} />
        ))}
      </ul>
      <Suspense fallback={<i>wait</i>}>
        <WasteLazy style={{ margin: 3 }} />
      </Suspense>
      <WasteCompiled style={{ margin: 4 }} />
      <NeedCompiled n={n} />
    </div>
  )
}

// Renders that have a reason.
const NeedProp = (props: { n: number }) => <b>{props.n}</b>
const NeedObject = (props: { of: { n: number } }) => <b>{props.of.n}</b>
const NeedDeepObject = (props: { of: { a: { b: number[] } } }) => <b>{props.of.a.b.join()}</b>
const NeedElement = (props: { children: ReactNode }) => <p>{props.children}</p>
const NeedRenderProp = (props: { render: () => number }) => <b>{props.render()}</b>
let calls = 0
const NeedImpure = () => <b>{calls++}</b>
const NeedNewKey = () => <b>mounted</b>
const Count = createContext(0)
const NeedContext = memo(function NeedContext() {
  return <b>{useContext(Count)}</b>
})
const NeedConditional = (props: { odd: boolean }) => (props.odd ? <b>odd</b> : <i>even</i>)
const listeners = new Set<() => void>()
let stored = 0
const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
const NeedStore = memo(function NeedStore() {
  return <b>{useSyncExternalStore(subscribe, () => stored)}</b>
})
let dispatchTick = () => {}
const NeedReducer = memo(function NeedReducer() {
  const [ticks, tick] = useReducer((count: number) => count + 1, 0)
  dispatchTick = tick
  return <b>{ticks}</b>
})
let setClassState = (_n: number) => {}
class NeedClassState extends Component<object, { n: number }> {
  override state = { n: 0 }
  override shouldComponentUpdate(_props: object, next: { n: number }) {
    return next.n !== this.state.n
  }
  override render() {
    setClassState = (n) => this.setState({ n })
    return <b>{this.state.n}</b>
  }
}
let widen = () => {}
/** Its state changes; the children come from above and stay the same elements. */
const NeedWrapper = (props: { children: ReactNode }) => {
  const [wide, setWide] = useState(0)
  widen = () => setWide(wide + 1)
  return <section data-wide={wide}>{props.children}</section>
}
const StillHoisted = () => <b>hoisted</b>

const NeedParent = () => {
  const [n, setN] = useState(0)
  const click = () => {
    stored++
    for (const listener of listeners) listener()
    dispatchTick()
    setClassState(n + 1)
    setN(n + 1)
  }
  return (
    <div>
      <button type="button" id="need" onClick={click}>
        {n}
      </button>
      <NeedProp n={n} />
      <NeedObject of={{ n }} />
      <NeedDeepObject of={{ a: { b: [1, n] } }} />
      <NeedElement>
        <b>{n}</b>
      </NeedElement>
      <NeedRenderProp render={() => n} />
      <NeedImpure />
      <NeedNewKey key={n} />
      <Count.Provider value={n}>
        <NeedContext />
      </Count.Provider>
      <NeedConditional odd={n % 2 === 1} />
      <NeedStore />
      <NeedReducer />
      <NeedClassState />
    </div>
  )
}

const Hoist = () => (
  <>
    <button type="button" id="hoist" onClick={() => widen()}>
      widen
    </button>
    <NeedWrapper>
      <StillHoisted />
    </NeedWrapper>
  </>
)

const page = (
  <>
    <PropsParent />
    <MemoParent />
    <NeedParent />
    <Hoist />
  </>
)
createRoot(document.querySelector('#root')!).render(STRICT ? <StrictMode>{page}</StrictMode> : page)
