import { expect, test } from 'vitest'
import { nameInSource } from './name-in-source.ts'

/** `^` marks where the map says that the function begins. */
const cases: [string, string | undefined][] = [
  ['export ^function ProductCard({ card }) {', 'ProductCard'],
  ['export default ^async function load<T>(x: T) {', 'load'],
  ['^export default function Page() {', 'Page'],
  ['export ^class Basket extends Component<Props> {', 'Basket'],
  ['export const ProductCard = memo(^function ProductCard({ card }: Props) {', 'ProductCard'],
  ['const Row: FC<{ a: number; b: string }> = ^({ a }) => <i>{a}</i>', 'Row'],
  ['const Row = (^{ a }) => <i>{a}</i>', 'Row'],
  ['const Labelled = forwardRef<HTMLElement, Props>(^(props, ref) => (', 'Labelled'],
  ['const Plain = React.memo(\n  ^({ style }) => {', 'Plain'],
  ['const handle = useCallback(async ^() => {', 'handle'],
  ['export let later = async ^x => x', 'later'],
  ['Tile.Small = ^() => <q />', 'Small'],
  ['export const Tile = {\n  Small: ^({ style }) => <q style={style} />,', 'Small'],
  ['class A {\n  ^render() {\n', 'render'],
  ['class A {\n  #count = 0\n  static ^of(x) {\n', 'of'],
  // Nobody named these.
  ['const rows = items.map(^(item) => item.id)', undefined],
  ['setTimeout(^() => {\n', undefined],
  ['^setTimeout(() => {\n', undefined],
  ['export default ^function ({ style }) {', undefined],
  ['export default ^({ style }) => <b />', undefined],
  ['const n = 1\nitems.forEach(^function (item) {', undefined],
  ['const styled = tag`x`\nrun(a, ^() => {', undefined],
  // A word before a colon in a comment is no name.
  ['/** code: 0, 1 */\nexport const isCode = (^tag) => tag < 2', 'isCode'],
]

test.each(cases)('%s', (marked, name) => {
  const before = marked.slice(0, marked.indexOf('^')).split('\n')
  const lines = marked.replace('^', '').split('\n')
  expect(nameInSource(lines, before.length - 1, before.at(-1)!.length)).toBe(name)
})

test('beyond the source there is no name', () => {
  expect(nameInSource(['const a = 1'], 7, 0)).toBeUndefined()
})
