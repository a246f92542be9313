/**
 * What the walk asks of JavaScript; `src/transcode/span-walk.ts` answers. None of it is called for every span. Addresses are those of
 * this module's memory.
 */

/** The body is no such message: throws the `WireError` of number `fault`. `offset` counts from the start of the body. */
export declare function refuse(fault: i32, offset: u32, first: i32, second: i32): void

/** The body holds what is too rare or too large for the walk: throws, and the body takes the object route. */
export declare function giveUp(): void

/** Rows that are finished, or a part of one. */
export declare function takeRows(from: usize, to: usize): void

/**
 * Writes the `AnyValue` at [from, to) as text, with its length in front, to `target`. Returns how many bytes that are; gives up when they
 * are more than `room`.
 */
export declare function spellValue(from: usize, to: usize, target: usize, room: usize): usize

/** As `spellValue`, of a text that is long or is not UTF-8. */
export declare function spellText(from: usize, to: usize, target: usize, room: usize): usize
