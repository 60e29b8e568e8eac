package measure

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCeilingsAreRecalledForTheNearestWorkers(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("HOME", dir)
	if got := Recall(4); got != 0 {
		t.Errorf("%v before anything was measured", got)
	}
	r := &Report{Ceilings: []Ceiling{
		{What: "read", From: "file", Mapping: "warm", Workers: 1, Rate: 10},
		{What: "read", From: "file", Mapping: "warm", Workers: 2, Rate: 20},
		{What: "read", From: "file", Mapping: "warm", Workers: 8, Rate: 50},
		{What: "copy", From: "file", Mapping: "warm", Workers: 4, Rate: 99},
	}}
	if err := r.Remember(); err != nil {
		t.Fatal(err)
	}
	for workers, want := range map[int]float64{0: 0, 1: 10, 2: 20, 7: 20, 8: 50, 1000: 50} {
		if got := Recall(workers); got != want {
			t.Errorf("%d workers: %v, want %v", workers, got, want)
		}
	}
	path, err := rememberedPath()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{", `{"schema":2}`, `{"schema":1,"host":"elsewhere","cpus":1,"read":[{"workers":1,"bytes_per_second":5}]}`} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := Recall(4); got != 0 {
			t.Errorf("%s: %v", text, got)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("%v", entries)
	}
}
