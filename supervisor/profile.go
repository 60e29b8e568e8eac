package supervisor

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
)

// ProfileError reports a worker of which there is no profile.
type ProfileError struct {
	Worker uint32 // incarnation
	PID    int
	Err    error
}

func (e *ProfileError) Error() string {
	return fmt.Sprintf("no profile of worker %d (pid %d): %v", e.Worker, e.PID, e.Err)
}

// Unwrap returns why there is none.
func (e *ProfileError) Unwrap() error { return e.Err }

// profileGrace is how long a worker may take to hand over a profile that is done.
const profileGrace = 10 * time.Second

// Profile measures for a time what the workers use their CPUs for, and writes the
// profile of each, as of runtime/pprof, to what create returns for it; it closes that.
// go tool pprof shows several of them as one. Workers that come later are left out. Of
// one that dies meanwhile, or does not answer, there is a [*ProfileError], and those
// of the others are written all the same. If the context ends first, nothing more is
// written, its cause is returned, and workers go on measuring until the time is over.
//
// Of an in-process pool the profile is that of this process, as worker 0.
func (p *Pool) Profile(ctx context.Context, d time.Duration, create func(worker uint32) (io.WriteCloser, error)) error {
	if d <= 0 {
		return fmt.Errorf("a profile of %v: make it some seconds", d)
	}
	if p.InProcess() {
		var b bytes.Buffer
		if err := profileSelf(ctx, d, &b); err != nil {
			return err
		}
		return deliver(0, b.Bytes(), create)
	}
	type profile struct {
		member engine.Member
		bytes  []byte
		err    error
	}
	members, err := p.engine.Members()
	if err != nil {
		return err
	}
	all := make([]profile, len(members))
	var measured sync.WaitGroup
	for i, m := range members {
		measured.Go(func() {
			all[i].member = m
			if all[i].bytes, all[i].err = profileOf(ctx, m.Worker, d); all[i].err == nil {
				all[i].err = complete(all[i].bytes)
			}
		})
	}
	measured.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var failed []error
	for _, one := range all {
		m := one.member
		if one.err != nil {
			failed = append(failed, &ProfileError{m.Incarnation, m.Worker.PID(), one.err})
		} else if err := deliver(m.Incarnation, one.bytes, create); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// profileSelf profiles this process.
func profileSelf(ctx context.Context, d time.Duration, w io.Writer) error {
	if err := pprof.StartCPUProfile(w); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// complete returns why bytes that a worker wrote are no profile, nil if they are one.
func complete(b []byte) error {
	if len(b) == 0 {
		return errors.New("it ended before its profile was done")
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if errors.Is(err, gzip.ErrHeader) {
		return errors.New(string(b[:min(len(b), 1000)])) // its own words
	}
	if err == nil {
		_, err = io.Copy(io.Discard, z)
	}
	if err != nil {
		return fmt.Errorf("it ended before its profile was written: %w", err)
	}
	return nil
}

func deliver(worker uint32, profile []byte, create func(worker uint32) (io.WriteCloser, error)) error {
	w, err := create(worker)
	if err != nil {
		return err
	}
	_, err = w.Write(profile)
	return errors.Join(err, w.Close())
}
