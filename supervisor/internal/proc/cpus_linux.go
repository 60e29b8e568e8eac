package proc

import (
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// CPUs returns how many CPUs this process may use: what affinity and GOMAXPROCS
// leave, and the tightest quota of its cgroup and of those around it. The Go
// runtime looks at the innermost alone.
func CPUs() int {
	n := runtime.GOMAXPROCS(0)
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return n
	}
	if quota := quotaOf("/sys/fs/cgroup", string(groups)); quota < float64(n) {
		n = max(1, int(math.Ceil(quota)))
	}
	return n
}

// quotaOf returns the tightest CPU quota of the groups that /proc/self/cgroup
// names, in CPUs, infinite if there is none.
func quotaOf(root, groups string) float64 {
	quota := math.Inf(1)
	for line := range strings.Lines(groups) {
		// number:controllers:path
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		top, read := root, quotaV2
		if parts[1] != "" {
			if !strings.Contains(","+parts[1]+",", ",cpu,") {
				continue
			}
			top, read = filepath.Join(root, "cpu"), quotaV1
		}
		// Inside a container the path may be that of the host; what of it is not
		// there limits nothing.
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			if q, ok := read(filepath.Join(top, dir)); ok {
				quota = min(quota, q)
			}
			if dir == "/" {
				break
			}
		}
	}
	return quota
}

// quotaV2 reads "200000 100000": microseconds of CPU in each period of so many.
func quotaV2(dir string) (cpus float64, ok bool) {
	text, err := os.ReadFile(filepath.Join(dir, "cpu.max"))
	if err != nil {
		return 0, false
	}
	var quota, period float64
	n, _ := fmt.Sscan(string(text), &quota, &period)
	return quota / period, n == 2 && quota > 0 && period > 0
}

// quotaV1 reads the same from two files.
func quotaV1(dir string) (cpus float64, ok bool) {
	var quota, period float64
	for name, v := range map[string]*float64{"cpu.cfs_quota_us": &quota, "cpu.cfs_period_us": &period} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return 0, false
		}
		fmt.Sscan(string(text), v)
	}
	return quota / period, quota > 0 && period > 0
}
