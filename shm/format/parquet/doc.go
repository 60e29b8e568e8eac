// Package parquet reads columns of numbers from Apache Parquet files (the format's
// specification 2.10). It is for programs that want it, as the command does, since it
// links what decompresses pages; import it, and files of the format are known.
//
// It reads footers and pages itself. The libraries for it link far more than numbers
// need, which every worker process would initialise, and trust what a file says of its
// sizes. Here the file is not trusted: a page has at most as many bytes as a decoder may
// take, and its values are decoded a block at a time, as they are asked for; counts are
// held against what is found. Only the pages of the columns that are asked for are read,
// one after another, and a page's CRC-32 is checked where it has one.
//
//	BOOLEAN                      bool
//	INT32, INT64, and integer    int8 to int64, uint8 to uint64
//	annotations of them
//	FLOAT, DOUBLE, FLOAT16       float32, float64, float16
//	nullable, with nulls         floats as they are, others float64; NaN for null.
//	                             An integer beyond 2^53 is an error there
//	anything else                refused: dates, decimals, text, lists
//
//	encodings                    PLAIN, RLE_DICTIONARY, RLE, DELTA_BINARY_PACKED,
//	                             BYTE_STREAM_SPLIT
//	compression                  none, Snappy, gzip, Brotli, Zstandard, LZ4_RAW
//
// A column of a group goes by its path, such as a.b. Nulls are counted by the file's
// statistics; where it has none, the column is decoded for that when the file is
// opened.
package parquet
