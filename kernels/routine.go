package kernels

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
)

// Element is an element type as kernels in Go see it.
type Element interface {
	float64 | float32 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// TypeFor returns the element type T.
func TypeFor[T Element]() Type {
	t, err := ParseType(reflect.TypeFor[T]().String())
	if err != nil {
		panic(err) // every Element has a Type of its name
	}
	return t
}

// Routine is a kernel in plain Go, made by [NewFunc], [NewReduce] or [NewMap]. Its name
// travels between processes, which are the same program: both look it up.
type Routine struct {
	name string
	elem Type
	out  Type // of a map; 0: its result is a value
	late bool // a worker need not have it
	// prepare returns the kernel with its parameters, for one worker.
	prepare func(params []byte) (Run, error)
	// prepareFold does so with a reduction; nil: it is none.
	prepareFold func(params []byte) (Fold, error)
}

// Run runs a kernel over the bytes of a chunk, src, and returns the bytes of its
// result, valid until the next call; a map writes to dst instead. It calls
// progress now and then with the number of bytes of src that are done. It is not
// safe for concurrent use.
type Run func(dst, src []byte, progress func(done int)) ([]byte, error)

// Name returns the name under which the routine is registered.
func (r *Routine) Name() string { return r.name }

// Type returns the type of the elements that the routine takes.
func (r *Routine) Type() Type { return r.elem }

// Out returns the type of the elements that a map writes, and whether it is one.
func (r *Routine) Out() (Type, bool) { return r.out, r.out != 0 }

// Prepare returns the routine ready to run with these parameters.
func (r *Routine) Prepare(params []byte) (Run, error) { return r.prepare(params) }

// PrepareFold returns a reduction ready to take blocks, with these parameters.
func (r *Routine) PrepareFold(params []byte) (Fold, error) {
	if r.prepareFold == nil {
		return nil, fmt.Errorf("kernel %q is no reduction", r.name)
	}
	return r.prepareFold(params)
}

// Check returns why workers cannot run the routine, nil if they can.
func (r *Routine) Check() error {
	if r == nil {
		return errors.New("a call of no kernel: make it by With of one")
	}
	if r.late {
		return fmt.Errorf("kernel %q was made after supervisor.Main was called, so the workers, which stay in Main, do not have it: "+
			"make it in a package-level variable; what changes from call to call, and a closure would hold, goes into its parameters", r.name)
	}
	return nil
}

var (
	routines   = map[string]*Routine{}
	routinesMu sync.Mutex
	sealed     atomic.Bool
)

// Seal notes that package initialisation is over: what is made from now on,
// other processes do not have. supervisor.Main calls it.
func Seal() { sealed.Store(true) }

// LookupRoutine returns the routine of that name.
func LookupRoutine(name string) (*Routine, bool) {
	routinesMu.Lock()
	defer routinesMu.Unlock()
	r, ok := routines[name]
	return r, ok
}

// MaxName is the most bytes the name of a kernel may have.
const MaxName = 56

// registerRoutine makes a routine known. It panics where the program is wrong:
// the name is taken, or a type is none that can travel.
func registerRoutine(name string, elem, out Type, prepare func(params []byte) (Run, error), errs ...error) *Routine {
	fail := func(format string, args ...any) {
		panic(fmt.Sprintf("kernels: kernel %q: %s", name, fmt.Sprintf(format, args...)))
	}
	for _, err := range errs {
		if err != nil {
			fail("%v", err)
		}
	}
	if name == "" || len(name) > MaxName {
		fail("its name has %d bytes, want 1 to %d", len(name), MaxName)
	}
	routinesMu.Lock()
	defer routinesMu.Unlock()
	if _, taken := reductions[name]; taken || routines[name] != nil {
		fail("the name is taken")
	}
	r := &Routine{name: name, elem: elem, out: out, late: sealed.Load(), prepare: prepare}
	routines[name] = r
	return r
}

// Call is a kernel in Go with its parameters, whose result is an R.
type Call[R any] struct {
	routine *Routine
	params  []byte
	result  plain[R]
}

// Routine returns the kernel.
func (c Call[R]) Routine() *Routine { return c.routine }

// Params returns the parameters' bytes.
func (c Call[R]) Params() []byte { return c.params }

// Decode returns the result that a worker wrote.
func (c Call[R]) Decode(b []byte) (R, error) { return c.result.decode(b) }
