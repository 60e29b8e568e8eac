// Package ring is a lock-free ring of descriptors in memory that one producer,
// the supervisor, shares with any number of workers, each of which may die at
// any instruction.
//
// The memory is not trusted. A ring's capacity is its owner's argument and is
// never read from the memory; words are loaded once and then judged; a
// descriptor that was claimed is a copy. What a descriptor says is for the
// caller to check. The ring keeps the slice it was made from for as long as
// it is used.
//
// # Layout
//
//	offset  0   publish count   u32   written by the supervisor
//	        4   supervisor idle u32   set by the supervisor, cleared by workers
//	       64   done count      u32   written by workers
//	       68   workers idle    u32   set by workers, cleared by the supervisor
//	      128   claim hint      u32   written by workers
//	      192   slot 0, slot 1, ...   64 bytes each
//
//	slot    0   word            u64
//	        8   program         u32
//	       12   mapping         u32
//	       16   task            u64
//	       24   chunk           u64
//	       32   offset          u64
//	       40   count           u64
//	       48   attempt         u32
//	       52   unused
//
//	word        generation << 32 | incarnation << 4 | state
//
// Fields are grouped by writer, a cache line each, so that the supervisor's
// stores and the workers' do not fight for one line. A slot is one line.
//
// # Protocol
//
//	FREE  -> READY    supervisor  publish: new generation, after the descriptor
//	READY -> CLAIMED  worker      one CAS takes the slot and records the owner
//	CLAIMED -> DONE   worker      after its result is written
//	DONE  -> FREE     supervisor  retire
//	CLAIMED -> READY  supervisor  repair: only after the owner was reaped
//	READY -> FREE     supervisor  cancel
//
// A slot that is FREE, DONE or whose owner is dead belongs to the supervisor;
// CLAIMED, to the worker whose incarnation the word holds. The generation
// makes a CAS fail whose expected word was loaded in an earlier life of the
// slot. The descriptor is written only while the slot is the supervisor's, so
// whoever holds a claim reads a stable one.
//
// Counts and the claim hint are hints: any value is safe, a wrong one costs a
// scan or a timeout.
package ring
