package doctor

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// files makes a system of the files given by path.
func files(t *testing.T, texts map[string]string) system {
	t.Helper()
	dir := t.TempDir()
	for path, text := range texts {
		whole := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(whole), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(whole, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return system(dir)
}

// all is every finding that comes from files.
func (s system) all() []Finding {
	return append([]Finding{s.caches(), s.cpus(4, 4), s.memory(), s.memoryLimit(), s.overcommit(), s.ptrace()}, s.hugePages()...)
}

func TestWhatCannotBeReadIsUnknown(t *testing.T) {
	for _, f := range files(t, nil).all() {
		switch f.Name {
		case "CPUs", "memory limit", "ptrace scope": // no file, no restriction
			if f.Level != OK {
				t.Errorf("%+v", f)
			}
		default:
			if f.Level != Unknown || f.Value != "unknown" || !strings.HasPrefix(f.Advice, "/") {
				t.Errorf("%+v", f)
			}
		}
	}
}

func TestFindingsSayWhatFilesSay(t *testing.T) {
	const cache = "sys/devices/system/cpu/cpu0/cache/"
	const thp = "sys/kernel/mm/transparent_hugepage/"
	s := files(t, map[string]string{
		cache + "index0/level": "1\n", cache + "index0/size": "48K\n", cache + "index0/type": "Data\n",
		cache + "index1/level": "1\n", cache + "index1/size": "32K\n", cache + "index1/type": "Instruction\n",
		cache + "index2/level": "2\n", cache + "index2/size": "2048K\n", cache + "index2/type": "Unified\n",
		"proc/meminfo":                      "MemTotal:       16777216 kB\nMemFree: 1 kB\nMemAvailable:    8388608 kB\n",
		"proc/self/cgroup":                  "1:name=systemd:/x\n0::/a/b\n",
		"sys/fs/cgroup/a/b/cpu.max":         "max 100000\n",
		"sys/fs/cgroup/a/cpu.max":           "150000 100000\n",
		"sys/fs/cgroup/a/b/memory.max":      "max\n",
		"sys/fs/cgroup/memory.max":          "1073741824\n",
		"proc/sys/vm/overcommit_memory":     "2\n",
		"proc/sys/kernel/yama/ptrace_scope": "1\n",
		thp + "enabled":                     "always [madvise] never\n",
		thp + "shmem_enabled":               "always within_size advise [never] deny force\n",
	})
	type short struct {
		Value string
		Level Level
	}
	got := map[string]short{}
	for _, f := range s.all() {
		got[f.Name] = short{f.Value, f.Level}
		if f.Level != OK && f.Advice == "" {
			t.Errorf("%s: no advice", f.Name)
		}
	}
	want := map[string]short{
		"caches":                      {"L1 48K, L2 2048K", OK},
		"CPUs":                        {"4 of 4 usable, quota of 1.5", Note},
		"memory":                      {"16 GiB, 8.0 GiB available", OK},
		"memory limit":                {"1.0 GiB", Note},
		"overcommit":                  {"never", Note},
		"ptrace scope":                {"1", Note},
		"huge pages":                  {"madvise", OK},
		"huge pages of shared memory": {"never", Note},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestOldKernelIsAProblem(t *testing.T) {
	for release, want := range map[string]Level{"5.10.0-8-amd64": OK, "6.18.44": OK, "5.9.16": Problem, "4.19.0": Problem, "odd": Unknown} {
		if f := kernel(release); f.Level != want {
			t.Errorf("%s: %+v", release, f)
		}
	}
}

func TestLookNeverFailsAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	all := Look([]string{dir, filepath.Join(dir, "missing"), "/proc"})
	names := map[string]bool{}
	for _, f := range all {
		names[f.Name] = true
		if f.Name == "" || f.Value == "" || f.Level == "" {
			t.Errorf("%+v", f)
		}
	}
	if !names["instruction set"] {
		t.Errorf("%+v", all)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func FuzzFiles(f *testing.F) {
	f.Add("MemTotal: 1 kB\nMemAvailable: 1 kB", "0::/../../x", "1 2")
	f.Add("MemTotal: 99999999999999999999 kB", "0::", "max 0")
	f.Fuzz(func(t *testing.T, meminfo, group, limit string) {
		s := files(t, map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": group,
			"sys/fs/cgroup/cpu.max": limit, "sys/fs/cgroup/memory.max": limit})
		for _, found := range s.all() {
			if found.Value == "" {
				t.Errorf("%+v", found)
			}
		}
	})
}
