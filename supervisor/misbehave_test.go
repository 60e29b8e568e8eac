package supervisor

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
)

// misbehave is a kernel that does what it should not.
var misbehave = kernels.NewFunc("test.misbehave", func(_ []byte, f fault) (int64, error) { return f.happen() })

type faultKind int32

const (
	fails faultKind = iota
	panics
	follows // a nil pointer
	exits
	signals
	recurses
	leaves // by runtime.Goexit
	hoards // memory
	loops
)

type fault struct {
	Kind faultKind
	Code int64
}

func (f fault) happen() (int64, error) {
	switch f.Kind {
	case fails:
		return 0, errors.New("it failed")
	case panics:
		panic("with 42")
	case follows:
		var p *int64
		return *p, nil
	case exits:
		os.Exit(int(f.Code))
	case signals:
		syscall.Kill(os.Getpid(), syscall.Signal(f.Code))
		select {}
	case recurses:
		debug.SetMaxStack(1 << 20) // sooner than after a gigabyte
		return deeper(f.Code), nil
	case leaves:
		runtime.Goexit()
	case hoards:
		var all [][]byte
		for len(all) < 400 {
			all = append(all, bytes.Repeat([]byte{1}, 1<<20))
		}
		time.Sleep(time.Minute)
		return int64(len(all)), nil
	case loops:
		for n := int64(1); n != 0; n += 2 { // never
		}
	}
	return 0, nil
}

func deeper(n int64) int64 {
	if n < 0 {
		return n
	}
	return deeper(n+1) + 1
}
