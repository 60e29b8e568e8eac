package proc

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestTightestQuotaOfAllAncestorsCounts(t *testing.T) {
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("a/cpu.max", "150000 100000\n")
	write("a/b/cpu.max", "max 100000\n")
	write("a/b/c/cpu.max", "800000 100000\n")
	write("d/cpu.max", "nonsense\n")
	write("cpu/e/cpu.cfs_quota_us", "250000\n")
	write("cpu/e/cpu.cfs_period_us", "100000\n")
	write("cpu/e/f/cpu.cfs_quota_us", "-1\n")
	write("cpu/e/f/cpu.cfs_period_us", "100000\n")
	for groups, want := range map[string]float64{
		"0::/a/b/c\n":                          1.5,
		"0::/a/b/c/not/there\n":                1.5,
		"0::/\n":                               math.Inf(1),
		"0::/d\n":                              math.Inf(1),
		"4:memory:/a\n3:cpu,cpuacct:/e/f\n":    2.5,
		"3:cpuset:/a\n0::/../../a\nx\n":        1.5,
		"3:cpu:/e/f\n0::/a/b\n":                1.5,
		"":                                     math.Inf(1),
		"12:cpuacct,cpu:/e\n1:name=systemd:/a": 2.5,
	} {
		if got := quotaOf(root, groups); got != want {
			t.Errorf("%q: %v, want %v", groups, got, want)
		}
	}
	if n := CPUs(); n < 1 || n > runtime.GOMAXPROCS(0) {
		t.Errorf("%d CPUs", n)
	}
}
