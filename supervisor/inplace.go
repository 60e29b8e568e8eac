package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// InPlace has a map set each element of x from itself, exactly once, whatever
// happens to processes meanwhile: to workers, which others replace, and to this
// one, after which [Pool.Resume] finishes the run. x lies in a file, which is
// locked until InPlace returns, or in an arena with [Output], which ends with this
// process. The map makes elements of the type it takes.
//
// While the run lasts there is a journal beside the file, named like it with
// ".gangsaw" at the end, or in a [JournalDir]; it stays if the run ends early. Then
// the error is an *[InPlaceError], which lists what is changed and what is not. An
// error of the kernel, or a panic, leaves up to 16 KiB of elements as they were,
// and all of the same chunk behind them. What else a kernel does than to set
// elements may happen more than once. The death of the machine is not covered:
// keep a copy.
func (p *Pool) InPlace(ctx context.Context, c kernels.MapCall, x *Array, opts ...TaskOption) error {
	o := taskOptionsOf(opts)
	job, err := p.job(c.Routine(), c.Params(), x, o)
	if err != nil {
		return err
	}
	if out, _ := c.Routine().Out(); out != x.Type {
		return fmt.Errorf("%s: kernel %q makes elements of type %v of those of type %v, and cannot work in place", x.file.Path(), c.Routine().Name(), out, x.Type)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if x.Len() == 0 {
		return nil
	}
	job.Plan = partition.New(x.Array, p.options.chunk, p.options.workers)
	r := &change{pool: p, job: job}
	if x.file.format == arenaFormat {
		err = r.inArena(x)
	} else {
		err = r.inFile(x, c, o)
	}
	if err != nil {
		return err
	}
	err = r.run(ctx)
	if x.file.format != arenaFormat {
		// What the run has changed is no surprise to who has the file open.
		if renewed := x.file.mapping.Renew(); err == nil {
			err = renewed
		}
	}
	return err
}

// Resume finishes the run of [Pool.InPlace] that was interrupted in the file at
// path, by its journal, and waits until whatever is left of it is gone. The error
// is [ErrNotInterrupted] if there is none, a *[JournalError] if it cannot be
// finished, and an *[InPlaceError] if it is interrupted again.
func (p *Pool) Resume(ctx context.Context, path string, opts ...TaskOption) error {
	o := taskOptionsOf(opts)
	r, err := reopen(path, o)
	if err != nil {
		return err
	}
	r.pool = p
	if err := r.again(o); err != nil {
		return errors.Join(err, r.close())
	}
	return r.run(ctx)
}

// Abandon gives up the run of [Pool.InPlace] that was interrupted in the file at
// path and deletes its journal. It returns which bytes of the file were changed and
// which were not.
func Abandon(path string, opts ...TaskOption) (applied, rest []Range, err error) {
	r, err := reopen(path, taskOptionsOf(opts))
	if err != nil {
		return nil, nil, err
	}
	applied, rest, err = r.journal.Ranges()
	if err == nil {
		err = r.journal.Remove()
	}
	return applied, rest, errors.Join(err, r.close())
}

// JournalDir has the journals of runs in place lie in a directory, which has to
// be named again to resume. Runs that name another do not see them.
func JournalDir(dir string) TaskOption { return func(o *taskOptions) { o.journalDir = dir } }

// HardLinked lets a run in place change a file that has several names.
func HardLinked() TaskOption { return func(o *taskOptions) { o.linked = true } }

// AnyBuild lets [Pool.Resume] finish a run that another build of this program has
// begun. Whoever says so knows that the kernel is the same.
func AnyBuild() TaskOption { return func(o *taskOptions) { o.anyBuild = true } }

// Range is bytes of a file, the last one included.
type Range = journal.Range

// JournalError reports a journal by which no run can be finished.
type JournalError = journal.Error

// ErrNotInterrupted is returned if there is no journal of a run.
var ErrNotInterrupted = errors.New("no run in place was interrupted here")

// InterruptedError reports a file that a run has left changed in part.
type InterruptedError struct{ File, Journal string }

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("%s: a run has changed it in part (journal %s): resume that run, or abandon it", e.File, e.Journal)
}

// InPlaceError reports a run in place that ended early.
type InPlaceError struct {
	File, Array   string
	Journal       string  // by which [Pool.Resume] finishes the run; empty if nothing was changed, or in an arena
	Applied, Rest []Range // of the file
	Err           error
}

func (e *InPlaceError) Error() string {
	what := "nothing was changed"
	if len(e.Applied) > 0 {
		what = fmt.Sprintf("only %d of %d bytes were changed in place", length(e.Applied), length(e.Applied)+length(e.Rest))
	}
	if e.Journal != "" {
		what += fmt.Sprintf(" (resume by the journal %s)", e.Journal)
	}
	return fmt.Sprintf("%s: array %q: %s: %v", e.File, e.Array, what, e.Err)
}

// Unwrap returns why the run ended.
func (e *InPlaceError) Unwrap() error { return e.Err }

// length returns how many bytes the ranges have.
func length(ranges []Range) (n uint64) {
	for _, r := range ranges {
		n += r.Last - r.First + 1
	}
	return n
}

// targetPatience is how long a run waits for whoever has the file locked: what is
// left of a run that was killed is soon gone.
const targetPatience = 5 * time.Second

// change is a run in place.
type change struct {
	pool    *Pool
	job     engine.Job
	journal *journal.Journal
	target  *shm.Mapping
	free    func() error // of the journal's memory, in an arena; nil in a file
	known   []uint32     // mappings that the workers were told of
}

// inArena prepares a run in an arena, whose journal dies with this process.
func (r *change) inArena(x *Array) error {
	if !x.file.mapping.Writable() {
		return fmt.Errorf("%s: array %q is not for writing: make it in an arena with supervisor.Output", x.file.Path(), x.Name)
	}
	g := journal.Geometry{Bytes: uint64(x.Size()), Chunk: r.job.Plan.ChunkBytes(), Unit: journal.UnitOf(x.Type)}
	areas := engine.Seats(r.pool.options.workers)
	memory, _, free, err := newArenaMemory(journal.MemorySize(g, areas), true, r.pool.InProcess())
	if err != nil {
		return err
	}
	r.target, r.free = x.file.mapping, free
	r.journal, err = journal.InMemory(memory, g, areas, x.Offset)
	return err
}

// inFile prepares a run in a file: it locks the file and makes the journal.
func (r *change) inFile(x *Array, c kernels.MapCall, o taskOptions) (err error) {
	if err := x.file.mapping.Changed(); err != nil {
		return err
	}
	if r.target, err = openTarget(x.file.Path(), o); err != nil {
		return err
	}
	if err = r.begin(x, c, o); err != nil {
		return errors.Join(err, r.target.Close())
	}
	return nil
}

func openTarget(path string, o taskOptions) (*shm.Mapping, error) {
	return shm.OpenTarget(path, shm.TargetOptions{Patience: targetPatience, Linked: o.linked})
}

// begin makes the journal of a run in a file that is locked.
func (r *change) begin(x *Array, c kernels.MapCall, o taskOptions) error {
	if !r.target.Same(x.file.mapping) {
		return &shm.ChangedError{Path: x.file.Path(), What: "was replaced"}
	}
	name, err := journal.Name(r.target, o.journalDir)
	if err != nil {
		return err
	}
	if journal.Exists(name) {
		return &InterruptedError{x.file.Path(), name}
	}
	if err := r.target.Reserve(x.Offset, x.Size()); err != nil {
		return err
	}
	h := &journal.Header{
		Gangsaw: version(),
		Array:   journal.ArrayOf(x.Array),
		Program: journal.Program{Kernel: c.Routine().Name(), Params: c.Params()},
		Chunk:   r.job.Plan.ChunkBytes(),
		Unit:    journal.UnitOf(x.Type),
	}
	if h.Target, err = journal.TargetOf(r.target, x.Array); err != nil {
		return err
	}
	if h.Boot, err = journal.Boot(); err != nil {
		return err
	}
	if h.Program.Build, err = proc.Build(); err != nil {
		return err
	}
	info, err := r.target.File().Stat()
	if err != nil {
		return err
	}
	r.journal, err = journal.Create(name, h, engine.Seats(r.pool.options.workers), info.Mode())
	return err
}

// version returns the version of gangsaw in this program.
func version() string {
	const path = "github.com/gangsaw/gangsaw"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == path {
			return m.Version
		}
	}
	return ""
}

// reopen locks a file and opens the journal that a run has left, and makes whole
// what the dead left half done.
func reopen(path string, o taskOptions) (*change, error) {
	target, err := openTarget(path, o)
	if err != nil {
		return nil, err
	}
	r := &change{target: target}
	name, err := journal.Name(target, o.journalDir)
	if err == nil {
		r.journal, err = journal.Open(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: %w (there is no journal %s)", path, ErrNotInterrupted, name)
	}
	if err == nil {
		err = r.repair()
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *change) repair() error {
	array, err := r.journal.Array()
	if err != nil {
		return err
	}
	id, err := journal.TargetOf(r.target, array)
	if err != nil {
		return err
	}
	if err := r.journal.Belongs(id); err != nil {
		return err
	}
	return r.journal.RepairAll(r.target)
}

// again prepares the rest of a run that was interrupted.
func (r *change) again(o taskOptions) error {
	refuse := func(what, remedy string) error {
		return &JournalError{Path: r.journal.Path(), What: what, Remedy: remedy}
	}
	program := r.journal.Header.Program
	array, err := r.journal.Array()
	if err != nil {
		return err
	}
	routine, ok := kernels.LookupRoutine(program.Kernel)
	if !ok {
		return refuse(fmt.Sprintf("this program has no kernel %q", program.Kernel), "resume with the program that began the run")
	}
	if err := routine.Check(); err != nil {
		return err
	}
	if out, _ := routine.Out(); out != array.Type || routine.Type() != array.Type {
		return refuse(fmt.Sprintf("kernel %q does not make %v of %v", program.Kernel, array.Type, array.Type), "resume with the program that began the run")
	}
	build, err := proc.Build()
	if err != nil {
		return err
	}
	if build != program.Build && !o.anyBuild {
		return refuse("another build of the program began the run, and its kernel may have been another", "resume with that build, or say that any will do")
	}
	if err := r.journal.Grow(engine.Seats(r.pool.options.workers)); err != nil {
		return err
	}
	r.job = engine.Job{
		Program: wire.Program{Kernel: program.Kernel, Type: array.Type, Params: string(program.Params)},
		Plan:    partition.New(array, r.journal.Header.Chunk, r.pool.options.workers),
		Limit:   o.limit,
	}
	if r.job.Plan.ChunkBytes() != r.journal.Header.Chunk {
		return refuse(fmt.Sprintf("no array is cut into chunks of %d bytes", r.journal.Header.Chunk), "abandon it")
	}
	return nil
}

// run changes what is not changed yet, and deletes the journal if that is all.
func (r *change) run(ctx context.Context) error {
	e := r.pool.engine
	err := r.attach()
	if err == nil {
		err = e.Run(ctx, r.job)
	}
	if err != nil {
		err = r.early(err)
	} else {
		err = r.journal.Remove()
	}
	return errors.Join(err, r.close())
}

// attach makes the target and the journal known to the workers.
func (r *change) attach() error {
	layout := r.journal.Layout()
	to := &wire.InPlace{Marks: layout.Marks, Areas: layout.Areas, Unit: layout.Unit, Count: layout.Count}
	r.job.Program.InPlace = to
	if err := r.tell(r.journal.Mapping(), &to.Mapping); err != nil {
		return err
	}
	if r.free == nil {
		r.job.Mapping = r.target
		if err := r.tell(r.target, &r.job.Number); err != nil {
			return err
		}
	}
	r.job.Repair = func(seat uint32) error { return r.journal.Repair(seat, r.target) }
	r.job.Accept = func(chunk uint64, result []byte) error {
		finished, err := r.journal.Finished(chunk)
		if err == nil && (!finished || len(result) > 0) {
			err = fmt.Errorf("chunk %d is said to be finished, and is not", chunk)
		}
		return err
	}
	return nil
}

// tell tells the workers of a mapping and sets its number.
func (r *change) tell(m *shm.Mapping, number *uint32) (err error) {
	if *number, err = r.pool.engine.Attach(m); err == nil {
		r.known = append(r.known, *number)
	}
	return err
}

// early returns the error of a run that ended early.
func (r *change) early(cause error) error {
	array := r.job.Plan.Array()
	failed := &InPlaceError{File: r.target.Path(), Array: array.Name, Journal: r.journal.Path(), Err: cause}
	var err error
	if failed.Applied, failed.Rest, err = r.journal.Ranges(); err != nil {
		return errors.Join(cause, err)
	}
	if len(failed.Applied) == 0 && !r.pool.engine.Stuck() {
		failed.Journal = ""
		err = r.journal.Remove()
	}
	return errors.Join(failed, err)
}

// close lets go of the target and of the journal.
func (r *change) close() error {
	for _, number := range r.known {
		r.pool.engine.Detach(number)
	}
	stuck := len(r.known) > 0 && r.pool.engine.Stuck()
	if stuck && r.pool.InProcess() {
		return nil // a goroutine that cannot be killed may still write there
	}
	var errs []error
	if r.journal != nil {
		errs = append(errs, r.journal.Close())
	}
	if r.free != nil {
		return errors.Join(append(errs, r.free())...)
	}
	if !stuck {
		// Workers still have the file, and may come to the message late.
		errs = append(errs, r.target.Unlock())
	}
	return errors.Join(append(errs, r.target.Close())...)
}
