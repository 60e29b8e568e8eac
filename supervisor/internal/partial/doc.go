// Package partial is what a shard finds of computations on arrays, and the file in
// which it leaves that to be merged with what the others find.
//
// A computation is passes, one after another, each of which the earlier ones decide
// about. What a pass finds is a [Record]: partials of subtrees of the block tree, none
// of them merged with one of another shard, and what is the same in any order, such as
// counts. Records of all shards [Join] to that of the whole pass, and what was joined
// is, as a [Part] of its own, what a shard begins the next pass with.
//
//	"gangsaw partial 1\n"
//	parts, for each:
//	    length of the text, length of the records, 8 bytes each
//	    text: the [Part] but for its records, JSON
//	    records, one after another
//	CRC-64 of all before
//
// Numbers are little-endian. Whoever reads a file trusts nothing in it: the checksum
// tells that it came across as it was written, not by whom.
package partial
