// Package journal makes a change in place happen exactly once: it is the file
// that says how far a run has come, and holds what a worker that died was about
// to store. The supervisor makes it and repairs by it; workers write to it and
// trust it only as far as they check. It lives beside the data until the run is
// complete, and outlives every process.
//
// # Layout
//
//	offset    0   "gangsaw journal 2\n", length u32 of the header, CRC-32C u32 of it
//	         64   the header: JSON, padded with zeros to whole pages
//	      marks   of each chunk, u64: units of it that are finished
//	      areas   of each worker: a page whose first u64 is the armed word,
//	              then one unit of scratch, whole pages
//
// All numbers are little-endian. Marks and areas begin at whole pages. Zeros are
// a chunk of which nothing is finished, and an area that never was armed.
//
// A unit is what is stored as one: up to [UnitBytes] bytes, and no more than
// [kernels.BlockLen] elements, an aligned part of its chunk. The armed word is
// (chunk << 24 | unit) + 1.
//
// # The commit of a unit
//
//	1  the kernel computes the unit's new bytes into the scratch
//	2  armed := this chunk and unit
//	3  the scratch is copied over the unit
//	4  mark := unit + 1
//
// A worker may die before, in or after each step. Once it is reaped,
//
//	if armed names a chunk whose mark is the unit: copy the scratch again, then
//	set the mark to unit + 1; else do nothing
//
// makes the unit whole, and can be cut short and done again as often as one likes.
//
// Why that is right. All stores go to shared mappings of files, so that they
// outlive the process. A process that is killed has done the stores of some prefix
// of its program and none behind it, and once it is reaped all of them are
// visible: this is what interrupts are on every CPU, whatever the order in which
// other CPUs see stores of one that runs. (Go's compiler moves no store over an
// atomic one.) Cut in 1, the armed word still names a unit that is finished, or
// none: marks only grow, so it disagrees with the mark, and the unit's bytes are
// the old ones. Cut between 2 and 4, armed and mark agree, and the scratch, which
// is complete since before 2, is copied over whatever part of it step 3 had
// copied. The store of 4 is one word, and makes armed and mark disagree: it
// finishes the unit and disarms at once. A store that faults in step 3, since the
// disk is full or broken, ends its worker as a kill does: the unit is half stored,
// and the area is not used again before the repair, which stores through the file
// and fails where the disk does. No unit is computed from bytes that are
// new already, since a kernel reads a unit only while its mark says that nothing
// of it was stored. An area has one owner at a time: the next one gets it when
// the last is reaped and the area is repaired.
//
// The old bytes could be kept instead of the new ones (undo): the same copies,
// but the window in which a death needs a repair contains the kernel, and an error
// of the kernel needs a repair too. This (redo) leaves a unit untouched until its
// kernel has succeeded. BenchmarkCommit, GB/s of bytes changed by axpb, medians of
// 3, 256 MiB in page cache, pages writable, 2 cores of a Zen 5 virtual machine, 35
// without a journal:
//
//	unit, KiB    4    8   16   32   64  128
//	redo        13   19   19   14   14   20
//	undo        20   21   18   12   19   17
//
// Neither is the faster one beyond the noise; 16 KiB of scratch, with the unit, stay
// in any first-level cache.
//
// The elements of an array may lie apart, or in the other byte order. The scratch then
// has them one after another, in the byte order in which they are stored, and each is
// put in its place: nothing between them is written. Of elements that are null by a bitmap
// the scratch has the bytes that they have. An array may lie in pieces, as a column of an Arrow
// file does in record batches: units and chunks are of its elements, one piece after another,
// so that a unit may begin in one piece and end in the next, and the header says where each
// piece lies. No byte may belong to two of them: it would be changed twice. What expressions have found along
// axes lies in a file beside the journal, named like it with ".values" at the end,
// which is on the disk before the journal is, and of which the header has checksums.
//
// A file may keep checksums of the array, as .npz and FITS do. The header says where, and
// these bytes are not among those by which the file is known again. When all units are
// finished, and while there still is a journal, they are computed from the bytes that
// the file has, and stored: whoever is killed meanwhile leaves a journal by which that is
// done again, and nothing depends on what they were.
//
// The file is known again by its number and size, and by a checksum of what lies beside the
// array: up to 1 MiB on each side, and of an array in pieces up to 4 KiB on each side of what
// is between two, and up to 1 MiB at the end of the file, where it says where they are.
//
// # What it covers
//
// The death of processes, at any instruction, of all at once, and again during the
// repair. Not the death of the machine: pages reach the disk in any order. The
// header names the boot, and a journal of another boot is refused. A file that is
// changed carries the journal's path as an extended attribute, where its file system
// has them, so that another name of the file, or a journal elsewhere, hides nothing.
package journal
