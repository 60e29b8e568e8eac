package supervisor

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
)

var (
	burn = kernels.NewFunc("test.burn", func(_ []byte, path [200]byte) (int64, error) {
		return burnCPU(strings.TrimRight(string(path[:]), "\x00")), nil
	})
	profileItself = kernels.NewFunc("test.profile-itself", func([]byte, struct{}) (int64, error) {
		return 0, pprof.StartCPUProfile(io.Discard)
	})
)

// burnCPU computes until a file is gone.
func burnCPU(name string) (n int64) {
	for exists(name) {
		for range 10_000_000 {
			n = n*31 + 7
		}
	}
	return n
}

// album collects profiles.
type album map[uint32]*page

type page struct {
	bytes.Buffer
	closed bool
}

func (p *page) Close() error { p.closed = true; return nil }

func (a album) create(worker uint32) (io.WriteCloser, error) {
	a[worker] = &page{}
	return a[worker], nil
}

// shows reports whether a profile names a function.
func (p *page) shows(t *testing.T, function string) bool {
	t.Helper()
	z, err := gzip.NewReader(&p.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(text, []byte(function))
}

func TestProfileShowsTheKernels(t *testing.T) { onBothPools(t, profileShowsTheKernels) }

func profileShowsTheKernels(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	var waits call
	_, release := holdUp(t, &waits)
	path := waits.Hold
	for range 2 {
		await(t, submit(t, pool, burn.With(path)), Running)
	}
	want := 2
	if pool.InProcess() {
		want = 1
	}
	shown := 0
	for range 20 { // a busy machine may let them run little
		all := album{}
		if err := pool.Profile(t.Context(), 300*time.Millisecond, all.create); err != nil {
			t.Fatal(err)
		}
		shown = 0
		for worker, p := range all {
			if !p.closed || pool.InProcess() != (worker == 0) {
				t.Errorf("profile of worker %d: closed %v", worker, p.closed)
			}
			if p.shows(t, "supervisor.burnCPU") {
				shown++
			}
		}
		if len(all) != want {
			t.Fatalf("%d profiles, want %d", len(all), want)
		}
		if shown == want {
			break
		}
	}
	if shown != want {
		t.Errorf("%d profiles show the kernel, want %d", shown, want)
	}
	release()
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(enough) })
	all := album{}
	if err := pool.Profile(ctx, time.Hour, all.create); err != enough || len(all) != 0 {
		t.Errorf("%v, %d profiles", err, len(all))
	}
	if err := pool.Profile(t.Context(), 0, all.create); err == nil {
		t.Error("a profile of no time")
	}
	pool.Kill()
	if err := pool.Profile(t.Context(), time.Millisecond, all.create); !pool.InProcess() && !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}
