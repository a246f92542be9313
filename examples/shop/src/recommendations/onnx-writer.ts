/**
 * Writes ONNX models without a package: the few messages of onnx.proto3 (ONNX 1.17) that a feed-forward graph needs. Field
 * numbers are the specification's; floats and ids are stored as raw little-endian bytes.
 */
const endianness = new Uint8Array(new Uint16Array([1]).buffer)[0]
if (endianness !== 1) throw new Error('The ONNX writer needs a little-endian machine')

type Bytes = Uint8Array<ArrayBufferLike>

const elementType = { float: 1, int64: 7 } as const
export type ElementType = keyof typeof elementType

export interface ValueInfo {
  readonly name: string
  readonly type: ElementType
  /** A number, or the name of a dimension that the caller chooses. */
  readonly shape: readonly (number | string)[]
}

export interface GraphNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Attributes; this graph needs no other kind. */
  readonly integerLists?: Readonly<Record<string, readonly number[]>>
}

export interface Weights {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array | BigInt64Array
}

export interface Graph {
  readonly name: string
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  /** In an order in which every input is made before it is used. */
  readonly nodes: readonly GraphNode[]
  readonly weights: readonly Weights[]
}

function varint(value: number): Bytes {
  const out: number[] = []
  let rest = value
  while (rest > 127) {
    out.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  out.push(rest)
  return Uint8Array.from(out)
}

const join = (parts: readonly Bytes[]): Bytes => Buffer.concat(parts)
const integer = (field: number, value: number): Bytes => join([varint(field * 8), varint(value)])
const bytes = (field: number, value: Bytes): Bytes =>
  join([varint(field * 8 + 2), varint(value.length), value])
const text = (field: number, value: string): Bytes => bytes(field, new TextEncoder().encode(value))

const attribute = (name: string, values: readonly number[]): Bytes =>
  join([text(1, name), ...values.map((value) => integer(8, value)), integer(20, 7)])

const node = ({ op, inputs, outputs, integerLists = {} }: GraphNode): Bytes =>
  join([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(3, outputs[0] ?? op),
    text(4, op),
    ...Object.entries(integerLists).map(([name, values]) => bytes(5, attribute(name, values))),
  ])

const tensor = ({ name, shape, values }: Weights): Bytes =>
  join([
    ...shape.map((length) => integer(1, length)),
    integer(2, values instanceof Float32Array ? elementType.float : elementType.int64),
    text(8, name),
    bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ])

const dimension = (length: number | string): Bytes =>
  typeof length === 'number' ? integer(1, length) : text(2, length)

function valueInfo({ name, type, shape }: ValueInfo): Bytes {
  const shapeProto = join(shape.map((length) => bytes(1, dimension(length))))
  const tensorType = join([integer(1, elementType[type]), bytes(2, shapeProto)])
  return join([text(1, name), bytes(2, bytes(1, tensorType))])
}

/** The bytes of an ONNX model: IR version 8, operator set 17. */
export function encodeModel(graph: Graph): Bytes {
  const graphProto = join([
    ...graph.nodes.map((each) => bytes(1, node(each))),
    text(2, graph.name),
    ...graph.weights.map((each) => bytes(5, tensor(each))),
    ...graph.inputs.map((each) => bytes(11, valueInfo(each))),
    ...graph.outputs.map((each) => bytes(12, valueInfo(each))),
  ])
  return join([
    integer(1, 8),
    text(2, 'hotspan-example-shop'),
    bytes(8, integer(2, 17)),
    bytes(7, graphProto),
  ])
}
