/**
 * Tables and rows of the shop, made inside PostgreSQL from row numbers: the same rows on every machine, no file to load.
 * Tables are unlogged and indexes come last, because the data lives as long as one run.
 */
export const productCount = 5_000
export const customerCount = 2_000
export const reviewCount = 1_200_000
export const orderLineCount = 2_400_000

/** The shop's "today": dates in the data count back from here, so that they do not depend on when it was made. */
export const shopToday = '2026-01-01T00:00:00Z'

/** Departments and their categories; a category's id is its position + 1. */
export const departments = [
  { name: 'Home', categories: ['Lamps', 'Chairs', 'Tables', 'Rugs', 'Clocks', 'Mirrors'] },
  { name: 'Kitchen', categories: ['Kettles', 'Cleavers', 'Pans', 'Mugs', 'Grinders', 'Scales'] },
  { name: 'Outdoor', categories: ['Tents', 'Stoves', 'Backpacks', 'Lanterns', 'Bottles', 'Hammocks'] },
  { name: 'Workshop', categories: ['Drills', 'Saws', 'Planes', 'Vices', 'Lathes', 'Ladders'] },
] as const

/** Words that product names are made of; every one can be searched. */
export const makers = [
  'Alder',
  'Brook',
  'Cobalt',
  'Dune',
  'Ember',
  'Fjord',
  'Grove',
  'Harbor',
  'Iris',
  'Juniper',
] as const
export const qualities = [
  'Quiet',
  'Folding',
  'Copper',
  'Compact',
  'Classic',
  'Bright',
  'Walnut',
  'Travel',
  'Sturdy',
  'Slim',
  'Everyday',
  'Studio',
] as const
const openings = [
  'Bought it twice',
  'Better than I hoped',
  'Does what it says',
  'Not for me',
  'A present for my sister',
  'Used every day',
] as const
const closings = [
  'no complaints so far.',
  'the finish could be nicer.',
  'I would take it again.',
  'delivery was quick.',
  'it feels solid.',
] as const

const sqlArray = (words: readonly string[]): string =>
  `(array[${words.map((word) => `'${word}'`).join(',')}])`
const pick = (words: readonly string[], salt: number): string =>
  `${sqlArray(words)}[1 + mix(i, ${salt}) % ${words.length}]`

const categoryRows = departments
  .flatMap((department) => department.categories.map((category) => [category, department.name] as const))
  .map(([category, department], index) => `(${index + 1}, '${category}', '${department}')`)

const categoryNames = departments.flatMap((department) => department.categories)

/**
 * Statements that run first, in order. `mix(i, salt)` is two rounds of the minimal standard generator with a shift between
 * them, in plain bigint arithmetic: unlike PostgreSQL's own hash functions it is the same in every version and byte order.
 */
export const tableStatements: readonly string[] = [
  `CREATE FUNCTION mix(i bigint, salt bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
     SELECT ((((i + salt * 7919) * 48271 % 2147483647) # (((i + salt * 7919) * 48271 % 2147483647) >> 13)) * 16807 % 2147483647)
   $$`,
  `CREATE UNLOGGED TABLE categories (id int PRIMARY KEY, name text NOT NULL, department text NOT NULL)`,
  `INSERT INTO categories VALUES ${categoryRows.join(', ')}`,
  `CREATE UNLOGGED TABLE customers AS
     SELECT i::int AS id, 'Customer ' || i AS name, (array['DE','FR','SE','PL','IT','NL'])[1 + mix(i, 11) % 6] AS country
     FROM generate_series(1, ${customerCount}) i`,
  `CREATE UNLOGGED TABLE products AS
     SELECT id, category_id, maker || ' ' || quality || ' ' || rtrim(kind, 's') || ' ' || (100 + id % 900) AS name,
            'The ' || lower(quality) || ' one of our ' || lower(kind) || ', made by ' || maker || ' and tested for years.' AS description,
            price_cents, price_cents + price_cents * discount / 100 AS list_price_cents,
            weight_grams, stock, popularity, delivery_days
     FROM (
       SELECT i::int AS id, (1 + mix(i, 21) % ${categoryNames.length})::int AS category_id,
              ${sqlArray(categoryNames)}[1 + mix(i, 21) % ${categoryNames.length}] AS kind,
              ${pick(makers, 22)} AS maker, ${pick(qualities, 23)} AS quality,
              (990 + mix(i, 24) % 24000)::int AS price_cents, (mix(i, 25) % 40)::int AS discount,
              (200 + mix(i, 26) % 28000)::int AS weight_grams, (mix(i, 27) % 60)::int AS stock,
              (mix(i, 28) % 100000)::int AS popularity, (1 + mix(i, 29) % 6)::int AS delivery_days
       FROM generate_series(1, ${productCount}) i
     ) made`,
  `CREATE UNLOGGED TABLE cart_lines (customer_id int, product_id int, quantity int NOT NULL, PRIMARY KEY (customer_id, product_id))`,
  // Some customers come back to a cart that they left.
  `INSERT INTO cart_lines
     SELECT customer, 1 + mix(customer * 10 + line, 31) % ${productCount}, 1 + mix(customer * 10 + line, 32) % 3
     FROM generate_series(1, ${customerCount}) customer, generate_series(1, 4) line ON CONFLICT DO NOTHING`,
  `ALTER TABLE products ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED`,
  `ALTER TABLE products ADD PRIMARY KEY (id)`,
  `ALTER TABLE customers ADD PRIMARY KEY (id)`,
  `CREATE INDEX products_by_popularity ON products (popularity DESC, id)`,
  `CREATE INDEX products_by_category ON products (category_id, popularity DESC, id)`,
  `CREATE INDEX products_search ON products USING gin (search)`,
  `VACUUM ANALYZE products, categories, customers, cart_lines`,
]

/** The two big tables, each filled on a connection of its own. */
export const reviewStatements: readonly string[] = [
  `CREATE UNLOGGED TABLE reviews AS
     SELECT i::int AS id, (1 + mix(i, 41) % ${productCount})::int AS product_id, (1 + mix(i, 42) % ${customerCount})::int AS customer_id,
            (1 + sqrt(mix(i, 43) % 24)::int)::smallint AS rating,
            timestamptz '${shopToday}' - (mix(i, 44) % 63072000) * interval '1 second' AS created_at,
            ${pick(openings, 45)} || ': ' || ${pick(closings, 46)} AS body
     FROM generate_series(1, ${reviewCount}) i`,
  `ALTER TABLE reviews ADD PRIMARY KEY (id)`,
  // Holds the rating too, so that the stars of a whole page of cards are read from the index alone.
  `CREATE INDEX reviews_by_product_rating ON reviews (product_id, rating)`,
  `CREATE INDEX reviews_by_product ON reviews (product_id, created_at DESC)`,
  `VACUUM ANALYZE reviews`,
]

export const orderLineStatements: readonly string[] = [
  `CREATE UNLOGGED TABLE order_lines AS
     SELECT i::int AS id, (1 + i / 3)::int AS order_id, (1 + mix(1 + i / 3, 51) % ${customerCount})::int AS customer_id,
            (1 + mix(i, 52) % ${productCount})::int AS product_id, (1 + mix(i, 53) % 3)::int AS quantity,
            (990 + mix(i, 54) % 24000)::int AS unit_price_cents,
            timestamptz '${shopToday}' - (mix(1 + i / 3, 55) % 63072000) * interval '1 second' AS ordered_at
     FROM generate_series(1, ${orderLineCount}) i`,
  `ALTER TABLE order_lines ADD PRIMARY KEY (id)`,
  `CREATE INDEX order_lines_by_customer ON order_lines (customer_id)`,
  `VACUUM ANALYZE order_lines`,
]

/** The index that the fault `missing-index` leaves out: sales of a product then read the whole table. */
export const salesIndexName = 'order_lines_by_product'
export const createSalesIndex = `CREATE INDEX IF NOT EXISTS ${salesIndexName} ON order_lines (product_id, ordered_at)`
export const dropSalesIndex = `DROP INDEX IF EXISTS ${salesIndexName}`
