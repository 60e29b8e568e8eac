// Package supervisor is the front door of gangsaw: a pool of worker processes
// that compute on the numbers of large files where they lie, in memory that
// all of them map.
//
// Begin main with a call of [Main]. A worker is the same program, started
// again, and Main is where it goes to work:
//
//	var square = kernels.NewFunc("square", func(_ []byte, n int64) (int64, error) { return n * n, nil })
//
//	func main() {
//		supervisor.Main() // in a worker process: works and never returns
//		pool, err := supervisor.Start(ctx)
//		...
//		defer pool.Close()
//		for r, err := range supervisor.Map(ctx, pool, square, slices.Values([]int64{1, 2, 3})) {
//			fmt.Println(r, err)
//		}
//	}
//
// In tests and benchmarks the same call stands in TestMain, before m.Run.
// Package initialisation runs in every worker as well: keep side effects out
// of init functions and of package-level variables.
//
// # Which call when
//
//	one array's statistics                    [Pool.Stat]
//	quantiles and a histogram besides         [Pool.Describe], [Pool.Quantiles]
//	expressions: "mean(x), std(x)"            [Pool.Eval], [Pool.Evaluate]
//	an expression that is an array            [Pool.EvalTo], [Pool.EvalInPlace]
//	a part of that, on each of many machines  [Pool.DescribeShard], [Pool.EvaluateShard], [MergePartials]
//	arrays of several files as one            [Concat]
//	your own reduction of an array            [Reduce] of a [kernels.NewReduce]
//	your own function of a whole array        [Submit] of a [kernels.NewFunc]
//	your own function of each element         [Pool.Apply] of a [kernels.NewMap]
//	the same, where the elements lie          [Pool.InPlace], [Pool.Resume]
//	and to have the old ones back             [Backup], [Restore]
//	one task, now or later                    [Submit], then [Future.Result]
//	the same function of many parameters      [Map], [MapUnordered]: streams with a bound
//	the same, and it takes microseconds       [Map] with [ChunkSize]
//	batches that come and go                  [Stage] of a [kernels.NewMap]
//	a stage between two channels              [FromChannel], [ToChannel]
//	tasks that stand and fall together        [Scope], [SubmitTo]
//	one that may hang                         [Deadline], [DeadlineRetries]
//	the same for whatever a pool computes     [ChunkDeadline]
//	whichever of several tasks comes first    [Wait], [AsCompleted]
//	workers that stay on their CPUs           [Pin]
//	workers that come when there is work      [StartMode]: [OnDemand]
//	no wait for the next worker after a death [Standby]
//	totals, and how much waits                [Pool.Counters]
//	latencies, and what goes wrong            [Observe] with an [Observer], [Log]
//	what workers use their CPUs for           [Pool.Profile]
//	numbers that this program makes itself    [Pool.Arena], [Alloc], [ArrayOf]
//
// To who knows Python's concurrent.futures: Start is ProcessPoolExecutor, Submit
// is submit, Future.Result is result, Map is map (and does not swallow its input),
// Wait is wait, AsCompleted is as_completed, Close is shutdown, Cancel is
// shutdown(cancel_futures=True). Workers are started again from the program's
// file, as by Python's spawn, and that is the only way there is: fork copies one
// thread of a process, and the runtime of Go has several from the beginning, whose
// locks and work the copy would wait for in vain. What Python's fork is good for, to
// have workers inherit what was computed, [Init] and arenas do here, and what
// forkserver is good for, to have them at once, [Standby].
//
// # What happens when something goes wrong
//
// A worker that dies takes nothing with it: what it had not finished is run
// again by another, and the result has the same bits. A chunk that kills its
// workers again and again is quarantined and named in a [*QuarantineError], which
// wraps a [*DeathError] with the signal or exit code. An error of your kernel is a
// [*TaskError], a panic a [*PanicError] with the worker's stack; their worker goes
// on. A chunk that takes longer than its [Deadline], or more memory than
// [MemoryLimit], is killed with its worker, and nobody else's. Cancelling a context
// or a [Future] is no kill: see there. Workers end when the pool is closed and when
// its process dies, however it dies.
//
// # In place, exactly once
//
// A worker that dies half-way through x = 2*x leaves some of x doubled, and who
// runs it again doubles that twice. [Pool.InPlace] keeps a journal beside the file:
// every 16 KiB are either as they were or done, whatever is killed, and when all
// processes were, [Pool.Resume] does the rest. What it takes is in the doc of the
// internal package journal. An error, of your kernel say, comes as an
// *[InPlaceError] that lists what is changed and what is not; [Abandon] gives the
// run up, and [Restore] puts a [Backup] back. Nobody else may begin to change the file
// before.
//
// # Common mistakes
//
//   - No call of Main: Start fails, and says so. In a test binary, it belongs into
//     TestMain.
//   - A kernel made in main, or in a function: workers never come there. Kernels
//     stand in package-level variables; Submit refuses others.
//   - A closure: what it captures has other values, or none, in a worker. Pass
//     parameters.
//   - Parameters with pointers, slices or strings: refused when the kernel is made.
//     Numbers, bools, and arrays and structs of them travel, up to
//     [kernels.MaxPartial] bytes; large data lies in files.
//   - Tiny tasks: a task through Submit takes some microseconds. Put many elements
//     into one; Reduce does, chunk by chunk, and Map does with a [ChunkSize].
//   - Tasks that wait for the network or a disk: goroutines do that better. More
//     workers than CPUs help nobody.
//   - Waiting with a context that ends does not end the task, and neither does
//     Future.Cancel once it runs. A Deadline does.
//   - A pool in a worker: [ErrInWorker].
//
// # Where it runs
//
// Worker processes need Linux. On other systems every pool is in process (see
// [InProcess]): its workers are goroutines, which compute the same bits, but a
// crash of one is the program's. A file that is truncated while it is read is
// an error there too.
//
// A pool trusts its workers with read-only mappings of the data and nothing
// else; see package ring and the internal package engine for what is checked. What
// is changed in place they can write to while that lasts, and a kernel that goes
// mad can spoil it.
package supervisor
