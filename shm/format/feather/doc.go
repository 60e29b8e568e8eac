// Package feather lays out Arrow IPC files, which Feather version 2 is too, so that
// whoever has the elements of their columns writes them straight to their places
// (Apache Arrow's columnar format 1.5, IPC file format, metadata version 5).
//
//	"ARROW1" 0 0 | schema | batch | batch | ... | end of stream | footer | length | "ARROW1"
//	batch        metadata, a flatbuffer, and the body: the elements of each column in turn
//
// Columns have one axis and one length. No element is null, and nothing is compressed.
// Masks take a bit for each element. Whatever is mapped is aligned to 64 bytes: metadata
// and elements begin at multiples of that. A batch has 262,144 rows, or more where there
// would be more than 4,096 of them, and always a multiple of 4,096, so that blocks and
// batches go together. Files are read by package arrow.
package feather
