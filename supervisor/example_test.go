package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor"
)

// Kernels stand in package-level variables, so that workers have them.
var (
	square = kernels.NewFunc("example.square", func(_ []byte, n int64) (int64, error) {
		if n < 0 {
			return 0, errors.New("a negative number")
		}
		return n * n, nil
	})
	above = kernels.NewReduce("example.above",
		func(count *int64, x []float64, limit float64) error {
			for _, v := range x {
				if v > limit {
					*count++
				}
			}
			return nil
		},
		func(left, right int64) int64 { return left + right })
)

var double = kernels.NewMap("example.double", func(dst, src []float64, _ struct{}) error {
	for i, v := range src {
		dst[i] = 2 * v
	}
	return nil
})

// A program begins main (here: TestMain) with supervisor.Main().
func Example() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	f, err := pool.File("../testdata/ecg.npy")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	s, err := pool.Stat(ctx, f.Arrays()[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Count(), s.Min(), s.Max(), s.Sum(), s.Mean())
	// Output: 108000 -3.485 3.65 -17831.745 -0.16510875
}

func ExampleReduce() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	f, err := pool.File("../testdata/ecg.npy")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	n, err := supervisor.Reduce(ctx, pool, above.With(3), f.Arrays()[0])
	fmt.Println(n, err)
	// Output: 155 <nil>
}

func ExampleSubmit() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	good, err := supervisor.Submit(pool, square.With(12), nil, supervisor.Deadline(time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	bad, err := supervisor.Submit(pool, square.With(-1), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(good.Result(ctx))
	fmt.Println(bad.Result(ctx))
	// Output:
	// 144 <nil>
	// 0 task of kernel "example.square": a negative number
}

func ExampleMap() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	for r, err := range supervisor.Map(ctx, pool, square, slices.Values([]int64{1, 2, 3})) {
		fmt.Println(r, err)
	}
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
}

// Calls that take little time share what it costs to hand out a task. One that
// fails, fails alone.
func ExampleChunkSize() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	sum, failed := int64(0), 0
	numbers := func(yield func(int64) bool) {
		for n := int64(-3); n < 1000 && yield(n); n++ {
		}
	}
	for r, err := range supervisor.Map(ctx, pool, square, numbers, supervisor.ChunkSize(100)) {
		if err != nil {
			failed++
		}
		sum += r
	}
	fmt.Println(sum, failed)
	// Output: 332833500 3
}

func ExampleScope() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	var sum int64
	err = supervisor.Scope(ctx, pool, func(g *supervisor.Group) error {
		var all []*supervisor.Future[int64]
		for n := range int64(5) {
			f, err := supervisor.SubmitTo(g, square.With(n), nil)
			if err != nil {
				return err
			}
			all = append(all, f)
		}
		for f, err := range supervisor.AsCompleted(ctx, all...) {
			if err != nil {
				return err
			}
			r, err := f.Result(ctx)
			if err != nil {
				return err
			}
			sum += r
		}
		return nil
	})
	fmt.Println(sum, err)
	// Output: 30 <nil>
}

// Numbers that the program makes itself, without a file.
func ExampleArrayOf() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	arena, err := pool.Arena(1 << 20)
	if err != nil {
		log.Fatal(err)
	}
	defer arena.Close()
	xs, err := supervisor.Alloc[float64](arena, 10000)
	if err != nil {
		log.Fatal(err)
	}
	for i := range xs {
		xs[i] = float64(i)
	}
	x, err := supervisor.ArrayOf(arena, "xs", xs)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(supervisor.Reduce(ctx, pool, above.With(9000), x))
	// Output: 999 <nil>
}

// A stage of a pipeline, between two channels.
func ExampleStage() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	in := make(chan []float64)
	go func() {
		defer close(in)
		in <- []float64{1, 2, 3}
		in <- []float64{4, 5}
	}()
	stage := supervisor.Stage(ctx, pool, double, struct{}{}, supervisor.FromChannel(ctx, in))
	for batch := range supervisor.ToChannel(ctx, stage) {
		fmt.Println(batch.Value, batch.Err)
	}
	// Output:
	// [2 4 6] <nil>
	// [8 10] <nil>
}

// Change a file where it lies. When this is killed half-way, Resume finishes it.
func ExamplePool_InPlace() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	path, remove := copyOf("../testdata/ecg.npy")
	defer remove()
	// Whatever an earlier run of this program left half done.
	if err := pool.Resume(ctx, path); err != nil && !errors.Is(err, supervisor.ErrNotInterrupted) {
		log.Fatal(err)
	}
	f, err := pool.File(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	x := f.Arrays()[0]
	if err := pool.InPlace(ctx, double.With(struct{}{}), x); err != nil {
		log.Fatal(err)
	}
	s, err := pool.Stat(ctx, x)
	fmt.Println(s.Min(), s.Max(), s.Mean(), err)
	// Output: -6.97 7.3 -0.3302175 <nil>
}

// copyOf copies a file to a place that remove removes.
func copyOf(path string) (name string, remove func()) {
	dir, err := os.MkdirTemp("", "gangsaw")
	if err != nil {
		log.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	name = filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(name, b, 0o600); err != nil {
		log.Fatal(err)
	}
	return name, func() { os.RemoveAll(dir) }
}

// latencies is an observer that counts chunks by how long they took, and workers.
type latencies struct {
	supervisor.EventFunc // for what is of no interest here
	fast, slow, workers  int
}

func (l *latencies) WorkerStarted(uint32, int) { l.workers++ }
func (l *latencies) ChunkRun(c supervisor.ChunkRun) {
	if c.Duration < time.Minute {
		l.fast++
	} else {
		l.slow++
	}
}

// What metrics are made of.
func ExampleObserver() {
	ctx := context.Background()
	l := &latencies{EventFunc: func(supervisor.Event) {}}
	pool, err := supervisor.Start(ctx, supervisor.Workers(1), supervisor.Observe(l))
	if err != nil {
		log.Fatal(err)
	}
	for _, err := range supervisor.Map(ctx, pool, square, slices.Values([]int64{1, 2, 3})) {
		if err != nil {
			log.Fatal(err)
		}
	}
	pool.Close()
	fmt.Println(l.fast, l.slow, l.workers, pool.Counters().Pending)
	// Output: 3 0 1 0
}

// One file for each worker, to be looked at by go tool pprof.
func ExamplePool_Profile() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	dir, err := os.MkdirTemp("", "profiles")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	err = pool.Profile(ctx, 100*time.Millisecond, func(worker uint32) (io.WriteCloser, error) {
		return os.Create(filepath.Join(dir, fmt.Sprintf("worker%d.pprof", worker)))
	})
	if err != nil {
		log.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	fmt.Println(len(files), err)
	// Output: 1 <nil>
}

// A task that is killed when it takes too long, and tried once more.
func ExampleDeadlineRetries() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	f, err := supervisor.Submit(pool, square.With(7), nil, supervisor.Deadline(time.Minute), supervisor.DeadlineRetries(1))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Result(ctx))
	// Output: 49 <nil>
}

// Workers that are started when there is work for them, and one more that waits
// for one of them to die.
func ExampleStartMode() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(4), supervisor.StartMode(supervisor.OnDemand), supervisor.Standby(1))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	f, err := supervisor.Submit(pool, square.With(7), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Result(ctx))
	fmt.Println(pool.Counters().Workers, "of", pool.Workers())
	// Output:
	// 49 <nil>
	// 1 of 4
}

// Workers that stay on one CPU each.
func ExamplePin() {
	pool, err := supervisor.Start(context.Background(), supervisor.Workers(2), supervisor.Pin())
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	f, err := supervisor.Submit(pool, square.With(7), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Result(context.Background()))
	// Output: 49 <nil>
}

// Expressions, in as few passes over the file as it takes.
func ExamplePool_Eval() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	f, err := pool.File("../testdata/ecg.npy")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	x := f.Arrays()[0]
	values, err := pool.Eval(ctx, "mean(x), sum((x - mean(x))**2) / len(x) - var(x) < 1e-15, argmax(x)", x)
	fmt.Println(values, err)
	// Output: [-0.16510875 True 15306] <nil>
}
