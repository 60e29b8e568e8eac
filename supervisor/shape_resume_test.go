package supervisor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
)

// halfMixed leaves a file as a run does that is killed while a worker stores its
// third unit, of which half is there, and the journal and the values with it.
func halfMixed(t *testing.T, pool *Pool, r *records) {
	t.Helper()
	a, b, err := recordsOf(pool, r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.file.Close()
	e, err := pool.compile(t.Context(), Query{Text: mixing, Arrays: []*Array{a, b}}, expr.Options{Apart: true, As: a.Type, Order: expr.COrder})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	pass, err := e.reduce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	target, err := shm.OpenTarget(t.Context(), r.path, shm.TargetOptions{Patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	c := &change{pool: pool, target: target}
	if err := c.read(e, pass, mixing, a); err != nil {
		t.Fatal(err)
	}
	c.job.Plan = cutOf(a.Array, nil, 1<<16, 1)
	if err := c.open(t.Context(), a, taskOptions{}); err != nil {
		t.Fatal(err)
	}
	r.mixed()
	layout, log := c.journal.Layout(), c.journal.Mapping().Bytes()
	const unit = 4096
	for i := range 2*unit + unit/2 {
		at := recordSize*(i/5) + 3 + 4*(i%5)
		copy(target.Bytes()[at:at+4], r.a(i/5, i%5))
	}
	for i := range unit {
		copy(log[layout.Areas+4096+uint64(4*i):], r.a((2*unit+i)/5, (2*unit+i)%5))
	}
	binary.LittleEndian.PutUint64(log[layout.Areas:], 2+1)
	binary.LittleEndian.PutUint64(log[layout.Marks:], 2)
	if err := errors.Join(c.journal.Close(), errors.Join(c.release()...)); err != nil {
		t.Fatal(err)
	}
}

// A run whose elements lie apart, and which reads values along axes, is finished with
// the values that it had.
func TestEvalOfScatteredElementsIsResumed(t *testing.T) {
	onBothPools(t, evalOfScatteredElementsIsResumed)
}

func evalOfScatteredElementsIsResumed(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	r := newRecords(t, 8000)
	halfMixed(t, pool, r)
	if err := pool.Resume(t.Context(), r.path); err != nil {
		t.Fatal(err)
	}
	r.check(t, "resumed")
	if left, err := filepath.Glob(r.path + ".*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Without the values that the run began with it is not resumed, and what is abandoned
// leaves whole units.
func TestResumeRefusesOtherValues(t *testing.T) {
	pool := start(t, Workers(2))
	for _, spoil := range []func(path string) error{
		os.Remove,
		func(path string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, bytes.Repeat([]byte{1}, len(b)), 0o600))
		},
		func(path string) error { return os.Truncate(path, 10) },
	} {
		r := newRecords(t, 8000)
		before := bytes.Clone(r.bytes)
		halfMixed(t, pool, r)
		if err := spoil(r.path + ".gangsaw.values"); err != nil {
			t.Fatal(err)
		}
		var refused *JournalError
		if err := pool.Resume(t.Context(), r.path); !errors.As(err, &refused) || !strings.Contains(err.Error(), ".values") {
			t.Errorf("%v", err)
		}
		if _, _, err := Abandon(r.path); err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(r.path + ".*"); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		for i := 3 * 4096; i < 5*r.rows; i++ {
			copy(r.a(i/5, i%5), before[recordSize*(i/5)+3+4*(i%5):][:4])
		}
		r.check(t, "abandoned")
	}
}

// Zeros at the end of the values are values: a file that lacks them is not taken for
// one that has them.
func TestResumeRefusesValuesThatEndEarly(t *testing.T) {
	pool := start(t, Workers(2))
	r := newRecords(t, 8000)
	clear(r.bytes)
	if err := os.WriteFile(r.path, r.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	halfMixed(t, pool, r)
	if err := os.Truncate(r.path+".gangsaw.values", 10); err != nil {
		t.Fatal(err)
	}
	var refused *JournalError
	if err := pool.Resume(t.Context(), r.path); !errors.As(err, &refused) || !strings.Contains(err.Error(), ".values") {
		t.Errorf("%v", err)
	}
	if _, _, err := Abandon(r.path); err != nil {
		t.Fatal(err)
	}
}
