// Package supervisor is the front door of gangsaw: a pool of worker processes
// that compute on the numbers of large files where they lie, in memory that
// all of them map.
//
// Begin main with a call of [Main]. A worker is the same program, started
// again, and Main is where it goes to work:
//
//	func main() {
//		supervisor.Main() // in a worker process: works and never returns
//		pool, err := supervisor.Start(ctx)
//		...
//		defer pool.Close()
//		x, err := pool.File("x.npy")
//		...
//		s, err := pool.Stat(ctx, x.Arrays()[0])
//		fmt.Println(s.Mean(), s.Std(0))
//	}
//
// In tests and benchmarks the same call stands in TestMain, before m.Run.
// Package initialisation runs in every worker as well: keep side effects out
// of init functions and of package-level variables.
//
// A worker that dies takes nothing with it: what it had not finished is run
// again by another, and the result has the same bits. A chunk that kills its
// workers again and again is quarantined and named in a [*QuarantineError].
// Workers end when the pool is closed and when its process dies, however it
// dies.
//
// Worker processes need Linux. On other systems every pool is in process (see
// [InProcess]): its workers are goroutines, which compute the same bits, but a
// crash of one is the program's. A file that is truncated while it is read is
// an error there too.
//
// A pool trusts its workers with read-only mappings of the data and nothing
// else; see package ring and the internal package engine for what is checked.
package supervisor
