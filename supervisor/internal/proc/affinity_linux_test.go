package proc

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCPUsAreTakenEvenly(t *testing.T) {
	s := &Binder{cpus: []int{4, 5, 9}, taken: make([]int, 3)}
	var free [9]func()
	for i, want := range []int{4, 5, 9, 4, 5, 9} {
		var cpu int
		if cpu, free[i] = s.Take(); cpu != want {
			t.Errorf("worker %d on CPU %d, want %d", i, cpu, want)
		}
	}
	free[5]()
	free[5]() // once is enough
	free[1]()
	for i, want := range []int{5, 9, 4} {
		var cpu int
		if cpu, free[6+i] = s.Take(); cpu != want {
			t.Errorf("worker %d again on CPU %d, want %d", i, cpu, want)
		}
	}
}

func TestBoundThreadIsAsItWasAfterwards(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cpus, err := usableCPUs()
	if err != nil {
		t.Fatal(err)
	}
	var before, in, after unix.CPUSet
	unix.SchedGetaffinity(0, &before)
	last := cpus[len(cpus)-1]
	if err := bound(last, func() error { return unix.SchedGetaffinity(0, &in) }); err != nil || in.Count() != 1 || !in.IsSet(last) {
		t.Errorf("%v, bound to %d CPUs", err, in.Count())
	}
	if unix.SchedGetaffinity(0, &after); after != before || after.Count() != len(cpus) {
		t.Errorf("%v, before %v", after, before)
	}
	if err := bound(maxCPUs-1, func() error { t.Error("it ran"); return nil }); err == nil {
		t.Error("bound to a CPU that there is not")
	}
}
