// Package npz describes the arrays in NumPy's .npz files: ZIP archives whose
// members are .npy files (PKWARE's APPNOTE 6.3.10, ZIP64 included).
//
// The central directory at the end of the file is what tells of the members; a
// member's local header only tells where its data begin. Stored members are mapped
// where they lie, at whatever alignment. An archive with
// compressed ones is a [format.Table], whose arrays are decoded, each for itself: they
// are decompressed from the beginning in every pass, and at its end the member's CRC-32
// is checked. The
// places of each member's CRC-32 come along, and what belongs there, for who changes
// the bytes. A data descriptor counts where it holds the CRC-32 that the directory does.
package npz
