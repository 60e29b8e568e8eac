package shm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOutputHasItsNameOnceItIsComplete(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, overwrite := range []bool{false, true} {
		o, err := CreateOutput(path, overwrite)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Reserve(5); err != nil {
			t.Fatal(err)
		}
		if _, err := o.WriteAt([]byte("hello")[:4], 0); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != overwrite {
			t.Errorf("before it is complete: %v", err)
		}
		if err := o.Commit(); err != nil {
			t.Fatal(err)
		}
		o.Discard()
		if got, err := os.ReadFile(path); err != nil || string(got) != "hell\x00" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := CreateOutput(path, false); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	// Somebody else was faster.
	late, err := CreateOutput(path+"2", false)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path+"2", "theirs")
	if err := late.Commit(); !errors.Is(err, ErrExists) {
		t.Errorf("%v", err)
	}
	given, err := CreateOutput(path+"3", false)
	if err != nil {
		t.Fatal(err)
	}
	given.Discard()
	if _, err := CreateOutput(filepath.Join(dir, "none", "f"), false); err == nil || !strings.Contains(err.Error(), "check that its directory exists") {
		t.Errorf("%v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
}
