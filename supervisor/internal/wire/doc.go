// Package wire is what supervisor and workers agree on: where things lie in
// the segments they share and what messages they exchange. Both are the same
// program, so there is one version of it; [Version] only catches a worker of
// another build.
//
// # The control segment, mapped by all
//
//	offset    0   programs: 256 records of 64 bytes
//	              0  type     u8
//	              1  length   u8 of the name
//	              2  length   u16 of the parameters
//	              4  target   u8: 1, a map's; 2, a change in place; 3, code; 4, a survey
//	              5  view     u8: 1, there is one, of a kernel or a survey
//	              8  name of the kernel
//	      16384   of each program, 320 bytes
//	              0  target: mapping u32, unused u32, source u64, destination u64;
//	                 in place: the journal's mapping u32, areas u32, offset of
//	                 the marks u64, of the areas u64, bytes of a unit u64;
//	                 code: mapping u32, length u32, CRC-32C u32;
//	                 survey: code, mapping for what is kept u32
//	             16  view: code, where the binding of what is taken lies
//	             32  the parameters
//	      98304   ring, see package ring
//
// A program with a target writes, for the element at offset x of the
// descriptor's mapping, that at destination + (x - source) * its size / the other's
// size of the target's mapping.
//
// A descriptor names a program by its offset, and a mapping by its number, or
// none and no elements. The supervisor writes a record before it publishes a
// descriptor that names it and keeps it until no such descriptor is left. Workers
// take a copy and check it.
//
// # A results segment, mapped by the supervisor and one worker
//
//	offset    0   beat       u64 turns of the worker's loop << 32 | progress
//	          8   timed      u8: 1, durations are wanted; written by the supervisor
//	          9   unused
//	         16   chunks     u64 that the worker has done
//	         24   bytes      u64 of them; both are for whoever watches
//	         32   unused
//	     64+i*512: the result of ring slot i
//	              0  word        u64 the claimed slot's word, as an echo
//	              8  descriptor  48 bytes, as in the slot, as an echo
//	             56  status      u16
//	             58  length      u16 of the payload
//	             60  program     u32 checksum of the program that was run
//	             64  duration    u64 nanoseconds that the kernel took, or 0
//	             72  payload     the partial
//	     64+slots*512+i*16384: a payload of more than 440 bytes, or of a task that
//	                           failed, a text
//
// A worker whose initialiser fails writes a result for slot 0 whose word no slot
// can have, and exits.
//
// Because no other worker maps it, no worker can forge another's results. The
// worker writes a result before it makes the slot DONE; the supervisor copies
// it once, then judges it.
//
// The beat changes whenever the worker looks for a claim, so a slot that stays
// CLAIMED in the name of a worker whose beat goes on is a forgery. Progress is
// how far the worker has come in its chunk, in steps of 16 KiB: the place of a
// death, by which a chunk that kills is told from a worker that was killed.
//
// # Calls and their answers, each in an arena
//
// A program of a function, not a map, that has a target is for many calls of it.
// The descriptor's elements are then bytes, without regard to the type:
//
//	offset    0   calls      u32 how many
//	          4   parameters u32 bytes of each call's
//	          8   result     u32 bytes of each call's
//	         12   unused
//	         16   the parameters, one after another
//
// The answers lie at the target's destination:
//
//	offset    0   done       u32 how many calls are answered, from the first on
//	          4   texts      u32 bytes of texts so far
//	          8   unused
//	         64   of each call
//	              0  status  u16
//	              2  length  u16 of the result or the text
//	              4  text    u32 where it begins in the texts
//	              8  the result, and up to 7 bytes unused
//	          then the texts, 16384 bytes
//
// The worker begins with the first call that has no answer, for one before it may
// have died on the way, and ends early when a text might not fit: what is left is
// then the supervisor's to hand out again. The steps of its progress are calls.
// Any worker can write to answers.
//
// # The code of a program of expressions, in a mapping
//
//	offset    0   chunk      u64 elements of each row in every chunk but the last
//	          8   inputs     u32 how many
//	         12   outputs    u32 how many
//	         16   in place   u32: 1, the output replaces an input
//	         20   replaced   u32 which
//	         24   pick       u32 what is done with elements that a mask picks
//	         28   places     u32 mapping of where those of each chunk go
//	         32   in place, as in a program's target
//	         72   first      u64 element of each row
//	         80   length     u64 elements of each row
//	         88   tile       u64 rows of a chunk
//	         96   axes       u32 how many
//	        100   rows       u32 how many of them, the first, rows are along
//	        104   of each axis: its length u64
//	              of each input, then of each output: mapping u32, type u8,
//	              swapped u8, strided u8, kind u8, offset u64 of the first element, and,
//	              if strided, of each axis: bytes to the next element i64. Of kind 2, with
//	              nulls: offset of the bitmap u64, of the element of its first bit u64,
//	              bits u64. Of kind 1, in pieces: axis u32, pieces u32 how many, and of each:
//	              places of the axis u64, then as of an input
//	              then the program, see package expr
//
// # Messages, one datagram each, over the worker's control socket
//
//	hello   worker to supervisor: the worker is ready
//	attach  supervisor to worker: a mapping's number, with its open file
//	detach  supervisor to worker: a mapping's number; no descriptor names it
//	begin   supervisor to worker: all present mappings are attached, claim; one
//	        that was not told so stands by
//	retire  supervisor to worker: finish the task in hand and exit with status 0
//	profile supervisor to worker: so many milliseconds, with a file: write a CPU
//	        profile of them to it, or a text that says why not, and close it
//
// The end of the stream means that the other process is gone.
package wire
