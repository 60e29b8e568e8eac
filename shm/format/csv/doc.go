// Package csv reads columns of numbers from text: cells between commas, tabs or what
// else is said, lines of cells, one row each, as RFC 4180 has them.
//
// The text is not trusted: a row has at most 16 MiB, all rows have equally many
// cells, and what is no number is an [*Error] with its line and column. Nothing is
// kept of the text but the names of columns and one bad cell of each.
//
// # Rules
//
//	cells      blanks around a cell do not count; "..." may hold delimiters, line
//	           ends and, doubled, quotes. Lines without anything are no rows
//	header     the first line holds the names of columns unless each of its cells
//	           is a number or null; without one they are called c1, c2, ...
//	null       a cell that is empty or reads NA, N/A, null or NULL
//	integer    digits behind + or -, or neither
//	float      1.5  .5  1e-3  inf  nan, in any case; one out of the range of
//	           float64 is refused, not made infinite
//	truth      true or false, True or False, TRUE or FALSE
//
// A column's type is what all its cells are, of the whole file, which is read once
// for that when it is opened:
//
//	int64      all are integers that fit it
//	uint64     all are integers, none is negative, and some do not fit int64
//	bool       all are truth values
//	float64    all are numbers, or all are null, or it would be one of the above
//	           but for nulls, for which NaN stands. Integers beyond 2^53, which
//	           would be rounded, are refused there
//
// Numbers are rounded to the nearest float64, ties to even.
package csv
