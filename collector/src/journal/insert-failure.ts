import { ClickHouseError } from '@clickhouse/client'

/**
 * What a failed insert says. `rows`: these rows will never go in. `moment`: the engine cannot take anything now, or is not there. `suspect`: the
 * engine answered, and it may be the rows (too large for its memory) or the moment (its memory is taken): other rows have to tell.
 */
export type FailureKind = 'rows' | 'moment' | 'suspect'

/** Errors of ClickHouse (`src/Common/ErrorCodes.cpp`) that speak of the rows or of their table's columns. */
export const rowErrors: Readonly<Record<string, number>> = {
  CANNOT_PARSE_TEXT: 6,
  CANNOT_PARSE_INPUT_ASSERTION_FAILED: 27,
  CANNOT_READ_ALL_DATA: 33,
  TOO_MANY_ARGUMENTS_FOR_FUNCTION: 34,
  BAD_ARGUMENTS: 36,
  CANNOT_PARSE_DATE: 38,
  CANNOT_PARSE_DATETIME: 41,
  NUMBER_OF_ARGUMENTS_DOESNT_MATCH: 42,
  ILLEGAL_TYPE_OF_ARGUMENT: 43,
  ILLEGAL_COLUMN: 44,
  UNKNOWN_IDENTIFIER: 47,
  UNKNOWN_TYPE: 50,
  TYPE_MISMATCH: 53,
  SYNTAX_ERROR: 62,
  ARGUMENT_OUT_OF_BOUND: 69,
  CANNOT_CONVERT_TYPE: 70,
  CANNOT_PARSE_NUMBER: 72,
  INCORRECT_DATA: 117,
  TOO_LARGE_STRING_SIZE: 131,
  VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE: 321,
  CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN: 349,
  UNKNOWN_ELEMENT_OF_ENUM: 691,
}

/** Errors that say nothing about the rows: another insert would fail too. */
export const momentErrors: Readonly<Record<string, number>> = {
  UNKNOWN_TABLE: 60,
  CANNOT_WRITE_TO_FILE_DESCRIPTOR: 75,
  CANNOT_OPEN_FILE: 76,
  UNKNOWN_DATABASE: 81,
  UNKNOWN_USER: 192,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  SOCKET_TIMEOUT: 209,
  NETWORK_ERROR: 210,
  TABLE_IS_READ_ONLY: 242,
  NOT_ENOUGH_SPACE: 243,
  UNEXPECTED_ZOOKEEPER_ERROR: 244,
  NO_ZOOKEEPER: 225,
  ALL_CONNECTION_TRIES_FAILED: 279,
  TOO_FEW_LIVE_REPLICAS: 285,
  UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE: 286,
  UNKNOWN_STATUS_OF_INSERT: 319,
  QUERY_WAS_CANCELLED: 394,
  ACCESS_DENIED: 497,
  AUTHENTICATION_FAILED: 516,
  KEEPER_EXCEPTION: 999,
}

const rowCodes = new Set(Object.values(rowErrors))
const momentCodes = new Set(Object.values(momentErrors))

/** `TOO_MANY_PARTS`, which also says that merges are behind: "Too many partitions for single INSERT block (more than 100). ..." */
const tooManyDays = /too many partitions for single insert block/i

export function failureKind(error: unknown): FailureKind {
  if (!(error instanceof ClickHouseError)) return 'moment'
  const code = Number(error.code)
  if (rowCodes.has(code) || tooManyDays.test(error.message)) return 'rows'
  return momentCodes.has(code) ? 'moment' : 'suspect'
}
