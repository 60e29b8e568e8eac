// Package arrow reads columns of numbers from Arrow IPC files, which Feather version
// 2 is too, by arrow-go. It is for programs that want it, as
// the command does; import it, and files of the format are known.
//
// The file is not trusted: a record batch that is decoded is read as a whole, and has at most as many
// bytes as a decoder may take; a panic of the library is an error of the file.
//
// A column lies in as many places as there are record batches, and where it is stored as
// numbers it is used there: [Open] reads the batches' messages and tells the places. Others
// are decoded, and the table says of each column why:
//
//	bool                         decoded: eight are in a byte
//	int8 to uint64,              where they lie
//	float16 to float64           where they lie; with nulls, with a bitmap of them
//	integers with nulls          decoded to float64; NaN for null. An integer beyond 2^53
//	                             is an error there
//	compressed batches           decoded
//	behind a column of views     decoded: how many buffers that has is told nowhere else
//	anything else                refused: dates, decimals, text, lists, dictionaries
//
// What lies where it is used can be changed there, too, in all of its batches: the file stays
// as it is but for the elements that are not null.
//
// Nulls are counted when the file is opened: those of columns that are mapped in their
// bitmaps, of others by what the batches say.
package arrow
