// The part that runs of what `prisma generate` 7.10.1 writes for schema.prisma; its types are left out.
import * as runtime from '@prisma/client/runtime/client'

const config = {
  previewFeatures: [],
  clientVersion: '7.10.1',
  engineVersion: 'd1b3f377ca835d73fd50954a5e22128b9ebdd6b8',
  activeProvider: 'postgresql',
  inlineSchema:
    'generator client {\n  provider = "prisma-client"\n  output   = "../generated"\n}\n\ndatasource db {\n  provider = "postgresql"\n}\n\nmodel Author {\n  id    Int    @id\n  name  String\n  books Book[]\n\n  @@map("authors")\n}\n\nmodel Book {\n  id       Int    @id\n  title    String\n  authorId Int    @map("author_id")\n  author   Author @relation(fields: [authorId], references: [id])\n\n  @@map("books")\n}\n',
  runtimeDataModel: {
    models: {},
    enums: {},
    types: {},
  },
  parameterizationSchema: {
    strings: [],
    graph: '',
  },
}

config.runtimeDataModel = JSON.parse(
  '{"models":{"Author":{"fields":[{"name":"id","kind":"scalar","type":"Int"},{"name":"name","kind":"scalar","type":"String"},{"name":"books","kind":"object","type":"Book","relationName":"AuthorToBook"}],"dbName":"authors","schema":null},"Book":{"fields":[{"name":"id","kind":"scalar","type":"Int"},{"name":"title","kind":"scalar","type":"String"},{"name":"authorId","kind":"scalar","type":"Int","dbName":"author_id"},{"name":"author","kind":"object","type":"Author","relationName":"AuthorToBook"}],"dbName":"books","schema":null}},"enums":{},"types":{}}',
)
config.parameterizationSchema = {
  strings: JSON.parse(
    '["where","orderBy","cursor","author","books","_count","Author.findUnique","Author.findUniqueOrThrow","Author.findFirst","Author.findFirstOrThrow","Author.findMany","data","Author.createOne","Author.createMany","Author.createManyAndReturn","Author.updateOne","Author.updateMany","Author.updateManyAndReturn","create","update","Author.upsertOne","Author.deleteOne","Author.deleteMany","having","_avg","_sum","_min","_max","Author.groupBy","Author.aggregate","Book.findUnique","Book.findUniqueOrThrow","Book.findFirst","Book.findFirstOrThrow","Book.findMany","Book.createOne","Book.createMany","Book.createManyAndReturn","Book.updateOne","Book.updateMany","Book.updateManyAndReturn","Book.upsertOne","Book.deleteOne","Book.deleteMany","Book.groupBy","Book.aggregate","AND","OR","NOT","id","title","authorId","equals","in","notIn","lt","lte","gt","gte","contains","startsWith","endsWith","not","name","every","some","none","is","isNot","connectOrCreate","upsert","createMany","set","disconnect","delete","connect","updateMany","deleteMany","increment","decrement","multiply","divide"]',
  ),
  graph:
    'ZxYgBgQAAEEAIC4AAD4AMC8AAAkAEDAAAD4AMDECAAAAAT8BAEAAIQEAAAABACAHAwAAQwAgLgAAQgAwLwAAAwAQMAAAQgAwMQIAPwAhMgEAQAAhMwIAPwAhAQMAAGEAIAcDAABDACAuAABCADAvAAADABAwAABCADAxAgAAAAEyAQBAACEzAgA_ACEDAAAAAwAgAQAABAAwAgAABQAgAQAAAAMAIAEAAAABACAGBAAAQQAgLgAAPgAwLwAACQAQMAAAPgAwMQIAPwAhPwEAQAAhAQQAAGAAIAMAAAAJACABAAAKADACAAABACADAAAACQAgAQAACgAwAgAAAQAgAwAAAAkAIAEAAAoAMAIAAAEAIAMEAABfACAxAgAAAAE_AQAAAAEBCwAADgAgAjECAAAAAT8BAAAAAQELAAAQADABCwAAEAAwAwQAAFIAIDECAEkAIT8BAEoAIQIAAAABACALAAATACACMQIASQAhPwEASgAhAgAAAAkAIAsAABUAIAIAAAAJACALAAAVACADAAAAAQAgEgAADgAgEwAAEwAgAQAAAAEAIAEAAAAJACAFBQAATQAgGAAATgAgGQAAUQAgGgAAUAAgGwAATwAgBS4AAD0AMC8AABwAEDAAAD0AMDECADYAIT8BADcAIQMAAAAJACABAAAbADAXAAAcACADAAAACQAgAQAACgAwAgAAAQAgAQAAAAUAIAEAAAAFACADAAAAAwAgAQAABAAwAgAABQAgAwAAAAMAIAEAAAQAMAIAAAUAIAMAAAADACABAAAEADACAAAFACAEAwAATAAgMQIAAAABMgEAAAABMwIAAAABAQsAACQAIAMxAgAAAAEyAQAAAAEzAgAAAAEBCwAAJgAwAQsAACYAMAQDAABLACAxAgBJACEyAQBKACEzAgBJACECAAAABQAgCwAAKQAgAzECAEkAITIBAEoAITMCAEkAIQIAAAADACALAAArACACAAAAAwAgCwAAKwAgAwAAAAUAIBIAACQAIBMAACkAIAEAAAAFACABAAAAAwAgBQUAAEQAIBgAAEUAIBkAAEgAIBoAAEcAIBsAAEYAIAYuAAA1ADAvAAAyABAwAAA1ADAxAgA2ACEyAQA3ACEzAgA2ACEDAAAAAwAgAQAAMQAwFwAAMgAgAwAAAAMAIAEAAAQAMAIAAAUAIAYuAAA1ADAvAAAyABAwAAA1ADAxAgA2ACEyAQA3ACEzAgA2ACENBQAAOQAgGAAAPAAgGQAAOQAgGgAAOQAgGwAAOQAgNAIAAAABNQIAAAAENgIAAAAENwIAAAABOAIAAAABOQIAAAABOgIAAAABPgIAOwAhDgUAADkAIBoAADoAIBsAADoAIDQBAAAAATUBAAAABDYBAAAABDcBAAAAATgBAAAAATkBAAAAAToBAAAAATsBAAAAATwBAAAAAT0BAAAAAT4BADgAIQ4FAAA5ACAaAAA6ACAbAAA6ACA0AQAAAAE1AQAAAAQ2AQAAAAQ3AQAAAAE4AQAAAAE5AQAAAAE6AQAAAAE7AQAAAAE8AQAAAAE9AQAAAAE-AQA4ACEINAIAAAABNQIAAAAENgIAAAAENwIAAAABOAIAAAABOQIAAAABOgIAAAABPgIAOQAhCzQBAAAAATUBAAAABDYBAAAABDcBAAAAATgBAAAAATkBAAAAAToBAAAAATsBAAAAATwBAAAAAT0BAAAAAT4BADoAIQ0FAAA5ACAYAAA8ACAZAAA5ACAaAAA5ACAbAAA5ACA0AgAAAAE1AgAAAAQ2AgAAAAQ3AgAAAAE4AgAAAAE5AgAAAAE6AgAAAAE-AgA7ACEINAgAAAABNQgAAAAENggAAAAENwgAAAABOAgAAAABOQgAAAABOggAAAABPggAPAAhBS4AAD0AMC8AABwAEDAAAD0AMDECADYAIT8BADcAIQYEAABBACAuAAA-ADAvAAAJABAwAAA-ADAxAgA_ACE_AQBAACEINAIAAAABNQIAAAAENgIAAAAENwIAAAABOAIAAAABOQIAAAABOgIAAAABPgIAOQAhCzQBAAAAATUBAAAABDYBAAAABDcBAAAAATgBAAAAATkBAAAAAToBAAAAATsBAAAAATwBAAAAAT0BAAAAAT4BADoAIQNAAAADACBBAAADACBCAAADACAHAwAAQwAgLgAAQgAwLwAAAwAQMAAAQgAwMQIAPwAhMgEAQAAhMwIAPwAhCAQAAEEAIC4AAD4AMC8AAAkAEDAAAD4AMDECAD8AIT8BAEAAIUMAAAkAIEQAAAkAIAAAAAAABUgCAAAAAU4CAAAAAU8CAAAAAVACAAAAAVECAAAAAQFIAQAAAAEFEgAAYwAgEwAAZgAgRQAAZAAgRgAAZQAgSwAAAQAgAxIAAGMAIEUAAGQAIEsAAAEAIAAAAAAACxIAAFMAMBMAAFgAMEUAAFQAMEYAAFUAMEcAAFYAIEgAAFcAMEkAAFcAMEoAAFcAMEsAAFcAMEwAAFkAME0AAFoAMAIxAgAAAAEyAQAAAAECAAAABQAgEgAAXgAgAwAAAAUAIBIAAF4AIBMAAF0AIAELAABiADAHAwAAQwAgLgAAQgAwLwAAAwAQMAAAQgAwMQIAAAABMgEAQAAhMwIAPwAhAgAAAAUAIAsAAF0AIAIAAABbACALAABcACAGLgAAWgAwLwAAWwAQMAAAWgAwMQIAPwAhMgEAQAAhMwIAPwAhBi4AAFoAMC8AAFsAEDAAAFoAMDECAD8AITIBAEAAITMCAD8AIQIxAgBJACEyAQBKACECMQIASQAhMgEASgAhAjECAAAAATIBAAAAAQQSAABTADBFAABUADBHAABWACBLAABXADAAAQQAAGAAIAIxAgAAAAEyAQAAAAECMQIAAAABPwEAAAABAgAAAAEAIBIAAGMAIAMAAAAJACASAABjACATAABnACAEAAAACQAgCwAAZwAgMQIASQAhPwEASgAhAjECAEkAIT8BAEoAIQIEBgIFAAMBAwABAQQHAAAAAAUFAAgYAAkZAAoaAAsbAAwAAAAAAAUFAAgYAAkZAAoaAAsbAAwBAwABAQMAAQUFABEYABIZABMaABQbABUAAAAAAAUFABEYABIZABMaABQbABUGAgEHCAEICwEJDAEKDQEMDwENEQQOEgUPFAEQFgQRFwYUGAEVGQEWGgQcHQcdHg0eHwIfIAIgIQIhIgIiIwIjJQIkJwQlKA4mKgInLAQoLQ8pLgIqLwIrMAQsMxAtNBY',
}

async function decodeBase64AsWasm(wasmBase64) {
  const { Buffer } = await import('node:buffer')
  const wasmArray = Buffer.from(wasmBase64, 'base64')
  return new WebAssembly.Module(wasmArray)
}

config.compilerWasm = {
  getRuntime: async () => await import('@prisma/client/runtime/query_compiler_fast_bg.postgresql.mjs'),

  getQueryCompilerWasmModule: async () => {
    const { wasm } = await import('@prisma/client/runtime/query_compiler_fast_bg.postgresql.wasm-base64.mjs')
    return await decodeBase64AsWasm(wasm)
  },

  importName: './query_compiler_fast_bg.js',
}

export const PrismaClient = runtime.getPrismaClient(config)
