package measure

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor"
)

func TestMain(m *testing.M) {
	supervisor.Main()
	os.Exit(m.Run())
}

func TestReportHasEveryCeilingAndJobAndAccountsForEveryKernel(t *testing.T) {
	dir := t.TempDir()
	r, err := Run(t.Context(), Options{Dir: dir, Size: 1 << 20, Workers: 3, Time: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, 3} {
		for _, c := range [][3]string{{"read", "memory", "warm"}, {"read", "file", "warm"}, {"read", "file", "fresh"},
			{"copy", "memory", "warm"}, {"copy", "memory", "fresh"}, {"copy", "file", "warm"}} {
			if r.Best(c[0], c[1], c[2], n) <= 0 {
				t.Errorf("no ceiling %v of %d workers", c, n)
			}
		}
	}
	if len(r.Ceilings) != 18 || len(r.Jobs) != 3 {
		t.Errorf("%d ceilings, %d jobs", len(r.Ceilings), len(r.Jobs))
	}
	if all := (5+2)*len(kernels.Types()) + len(kernels.ElementwiseKernels()); len(r.Kernels)+r.Skipped != all {
		t.Errorf("%d kernels and %d skipped, of %d", len(r.Kernels), r.Skipped, all)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestInterruptedMeasurementLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Options{Dir: dir, Size: 1 << 20, Workers: 1, Time: time.Hour}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestPartsCoverWhatTheyAreCountedFor(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7} {
		for _, size := range []int{1 << 15, 1<<20 + 1<<15} {
			var bytes atomic.Int64
			share(n, size, func(first, end int) { bytes.Add(int64(end - first)) })
			if got := covered(n, size); got != int(bytes.Load()) || got > size || got < size-n*256 {
				t.Errorf("%d parts of %d cover %d, said to be %d", n, size, bytes.Load(), got)
			}
		}
	}
}

func TestGroupsSumUpTheirKernels(t *testing.T) {
	r := &Report{Kernels: []Kernel{{"add float64", 1, 0.9, "copy"}, {"exp float64", 1, 0.2, "copy"}, {"add int8", 1, 0.5, "copy"}, {"add int16", 1, 0.7, "copy"}}}
	want := []Group{{"exp", "copy", 1, 0.2, 0.2, 0.2}, {"add", "copy", 3, 0.5, 0.7, 0.9}}
	if got := r.Groups(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
