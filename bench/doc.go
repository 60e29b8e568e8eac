// Package bench measures gangsaw against yardsticks taken in the same run: the
// rate at which this machine reads memory, and goroutines doing the same job.
//
//	go test -bench . ./bench
//
// [Reduce], [Map] and [InPlace] do the same for kernels of yours.
//
// The yardsticks are written plainly and use nothing of gangsaw.
package bench
