//go:build linux

package ring

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"
)

// Benchmarks of the ring between real processes: this test binary, started
// again, claims and completes what the benchmark publishes.

const (
	roleVariable     = "GANGSAW_RING_TEST"
	capacityVariable = "GANGSAW_RING_TEST_CAPACITY"
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	capacity, err := strconv.Atoi(os.Getenv(capacityVariable))
	if err != nil {
		panic(err)
	}
	r, err := Attach(mapShared(os.NewFile(3, "ring"), capacity), capacity)
	if err != nil {
		panic(err)
	}
	var incarnation uint32
	if _, err := fmt.Sscanf(role, "work %d", &incarnation); err == nil {
		work(r, incarnation)
	}
	if _, err := fmt.Sscanf(role, "bare %d", &incarnation); err == nil {
		bare(r, incarnation)
	}
	panic(role)
}

func mapShared(file *os.File, capacity int) []byte {
	mem, err := mmap.MapRegion(file, Size(capacity), mmap.RDWR, 0, 0)
	if err != nil {
		panic(err)
	}
	return mem
}

// work is a worker whose tasks are to do nothing.
func work(r *Ring, incarnation uint32) {
	c := r.NewClaimer(incarnation, incarnation-1)
	w := r.NewWorkerWaiter(SpinTime, time.Second)
	bell := false
	for {
		claim, ok := c.Claim()
		if bell || !ok {
			r.WakeSupervisor()
			bell = false
		}
		if !ok {
			w.Pause()
			continue
		}
		w.Found()
		bell = claim.Descriptor.Bell != 0
		if !c.Complete(claim) {
			panic("revoked")
		}
	}
}

// bare is the yardstick: nothing but the same claims, in a loop.
func bare(r *Ring, incarnation uint32) {
	for i := r.NewClaimer(incarnation, incarnation-1).next; ; i++ {
		if i >= len(r.slots) {
			i = 0
		}
		word := &r.slots[i].word
		w := word.Load()
		if Word(w).State() != Ready {
			continue
		}
		claimed := uint64(MakeWord(Word(w).Generation(), incarnation, Claimed))
		if word.CompareAndSwap(w, claimed) {
			word.CompareAndSwap(claimed, claimed&^0xf|uint64(Done))
		}
	}
}

// processes returns a ring that many processes in a role work on.
func processes(b *testing.B, role string, workers, capacity int) *Ring {
	b.Helper()
	fd, err := unix.MemfdCreate("ring", unix.MFD_CLOEXEC)
	if err != nil {
		b.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "ring")
	b.Cleanup(func() { file.Close() })
	if err := file.Truncate(int64(Size(capacity))); err != nil {
		b.Fatal(err)
	}
	r, err := Format(mapShared(file, capacity), capacity)
	if err != nil {
		b.Fatal(err)
	}
	for i := range workers {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", roleVariable, role, i+1), fmt.Sprintf("%s=%d", capacityVariable, capacity))
		cmd.ExtraFiles = []*os.File{file}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
	}
	return r
}

// BenchmarkTasks is no-op tasks through the ring, and through bare loops over
// the same slots.
func BenchmarkTasks(b *testing.B) {
	for _, workers := range []int{1, 2} {
		for _, capacity := range []int{64, 256} {
			b.Run(fmt.Sprintf("ring/workers=%d/slots=%d", workers, capacity), func(b *testing.B) {
				r := processes(b, "work", workers, capacity)
				w := r.NewSupervisorWaiter(SpinTime, 10*time.Millisecond)
				pass(r, 1, w)
				pass(r, 1000, w)
				b.ResetTimer()
				pass(r, b.N, w)
			})
			b.Run(fmt.Sprintf("bare/workers=%d/slots=%d", workers, capacity), func(b *testing.B) {
				r := processes(b, "bare", workers, capacity)
				barePass(r, 1000)
				b.ResetTimer()
				barePass(r, b.N)
			})
		}
	}
}

// pass has n tasks done.
func pass(r *Ring, n int, waiter *Waiter) {
	bellEvery := max(1, len(r.slots)/4)
	for issued, done := 0, 0; done < n; {
		published, found := 0, 0
		for i := range r.slots {
			w := r.Load(i)
			if w.State() == Done {
				r.Retire(i, w)
				w = MakeWord(w.Generation(), 0, Free)
				done++
				found++
			}
			if w.State() == Free && issued < n {
				d := Descriptor{Task: uint64(issued)}
				if issued++; issued%bellEvery == 0 {
					d.Bell = 1
				}
				r.Publish(i, w, d)
				published++
			}
		}
		if published > 0 {
			r.WakeWorkers(published)
		}
		if found < len(r.slots)/8 && issued-done > len(r.slots)/2 {
			waiter.Rest()
		}
		if found > 0 {
			waiter.Found()
		} else {
			waiter.Pause()
		}
	}
}

func barePass(r *Ring, n int) {
	for issued, done := 0, 0; done < n; {
		for i := range r.slots {
			w := Word(r.slots[i].word.Load())
			if w.State() == Done {
				done++
				w = w &^ 0xf
			}
			if w.State() == Free && issued < n {
				issued++
				r.slots[i].word.Store(uint64(MakeWord(w.Generation()+1, 0, Ready)))
			}
		}
	}
}

// BenchmarkRoundTrip is one task after the other: published, claimed, done and
// seen to be done.
func BenchmarkRoundTrip(b *testing.B) {
	b.Run("ring", func(b *testing.B) {
		r := processes(b, "work", 1, 64)
		w := r.NewSupervisorWaiter(SpinTime, 10*time.Millisecond)
		pass(r, 1000, w)
		times := make([]time.Duration, 0, b.N)
		for i := 0; b.Loop(); i = (i + 1) % r.Capacity() {
			begin := time.Now()
			ready := r.Publish(i, r.Load(i), Descriptor{})
			r.WakeWorkers(1)
			for r.Load(i).State() != Done {
				w.Pause()
			}
			w.Found()
			r.Retire(i, MakeWord(ready.Generation(), 1, Done))
			times = append(times, time.Since(begin))
		}
		reportMedian(b, times)
	})
	b.Run("channel", func(b *testing.B) {
		there, back := make(chan int), make(chan int)
		go func() {
			for x := range there {
				back <- x
			}
		}()
		times := make([]time.Duration, 0, b.N)
		for b.Loop() {
			begin := time.Now()
			there <- 1
			<-back
			times = append(times, time.Since(begin))
		}
		close(there)
		reportMedian(b, times)
	})
}

// reportMedian reports the median beside the mean.
func reportMedian(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "median-ns")
}
