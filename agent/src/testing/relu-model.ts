import { ByteWriter } from '@hotspan/otlp/wire'

/** `onnx.ModelProto` of `y = Relu(x)` for float matrices `[n, 3]`: the smallest model that runs. */
export function reluModel(): Uint8Array {
  const w = new ByteWriter(256)
  const value = (field: number, name: string): void =>
    w.message(field, () => {
      w.stringField(1, name)
      w.message(2, () =>
        w.message(1, () => {
          w.uintField(1, 1) // float
          w.message(2, () => {
            w.message(1, () => w.stringField(2, 'n'))
            w.message(1, () => w.uintField(1, 3))
          })
        }),
      )
    })
  w.uintField(1, 8) // ir_version
  w.message(7, () => {
    w.message(1, () => {
      w.stringField(1, 'x')
      w.stringField(2, 'y')
      w.stringField(4, 'Relu')
    })
    w.stringField(2, 'graph')
    value(11, 'x')
    value(12, 'y')
  })
  w.message(8, () => w.uintField(2, 13)) // opset
  return w.finish()
}
