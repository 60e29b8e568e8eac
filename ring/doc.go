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
//	offset  0   bell of the workers      marks u64, rings u32
//	       64   bell of the supervisor   marks u64, rings u32
//	      128   slot 0, slot 1, ...      64 bytes each
//
//	slot    0   word            u64
//	        8   program         u32
//	       12   mapping         u32
//	       16   task            u64
//	       24   chunk           u64
//	       32   offset          u64
//	       40   count           u64
//	       48   attempt         u32
//	       52   bell            u32
//	       56   unused
//
//	word        generation << 32 | incarnation << 4 | state
//
// A slot is one cache line and so is each bell, which nobody writes while work
// flows. There are no shared cursors: every worker looks for work from where
// it found some last, and from its home after it went round and found none;
// homes are far from one another. A worker that goes round the ring takes
// whatever is READY on its way, so no slot is overtaken more often than there
// are slots, by any worker. Work that is laid out in an empty ring as it was
// before goes to the workers that had it before, but for what the faster takes
// from the slower.
//
// # Protocol
//
//	FREE  -> READY     supervisor  publish: new generation, after the descriptor
//	READY -> CLAIMED   worker      one CAS takes the slot and records the owner
//	CLAIMED -> DONE    worker      after its result is written
//	DONE  -> FREE      supervisor  retire
//	READY -> FREE      supervisor  cancel
//	CLAIMED -> DOOMED  supervisor  before a kill that is aimed at this task
//	CLAIMED, DOOMED -> READY, FREE
//	                   supervisor  repair: only after the owner was reaped
//
// A slot that is FREE, DONE or whose owner is dead belongs to the supervisor;
// CLAIMED, to the worker whose incarnation the word holds. A worker that finds
// its slot DOOMED exits and touches nothing more, so that the kill hits the
// task it was meant for and never the next. The generation makes a CAS fail
// whose expected word was loaded in an earlier life of the slot. The descriptor
// is written only while the slot is the supervisor's, so whoever holds a claim
// reads a stable one.
//
// # Waiting
//
// Whoever finds nothing looks again for a bounded time, yields, and sleeps: on
// Linux on a futex that is shared between processes, elsewhere on a pipe within
// one process. While work flows nobody sleeps and nobody is woken: the
// supervisor asks by a descriptor's bell to be woken when it is done, some
// time before the workers run dry, and a worker that runs dry wakes it, too. A
// killed process can take a wake along; so every sleep ends after a time.
package ring
