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
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// targetPatience is how long a run waits for whoever has the file locked: what is
// left of a run that was killed is soon gone.
const targetPatience = 5 * time.Second

// change is a run in place.
type change struct {
	pool    *Pool
	program journal.Program
	binding *wire.Binding // of expressions, nil: there is a kernel
	job     engine.Job
	journal *journal.Journal
	target  *shm.Mapping
	free    func() error // of the journal's memory, in an arena; nil in a file
	known   []uint32     // mappings that the workers were told of
	code    *boundCode
	inputs  []*File // that a resumed run has opened
}

// begin changes an array.
func (r *change) begin(ctx context.Context, x *Array, o taskOptions) (err error) {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if x.Len() == 0 {
		return nil
	}
	r.job.Plan = partition.New(x.Array, r.pool.options.chunk, r.pool.options.workers)
	if x.file.format == arenaFormat {
		if err := r.inArena(x); err != nil {
			return err
		}
		return r.run(ctx)
	}
	if err := r.inFile(x, o); err != nil {
		return err
	}
	err = r.run(ctx)
	// What the run has changed is no surprise to who has the file open.
	if renewed := x.file.mapping.Renew(); err == nil {
		err = renewed
	}
	return err
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
	r.job.Mapping, r.job.Number = x.file.mapping, x.file.number
	r.journal, err = journal.InMemory(memory, g, areas, x.Offset)
	return err
}

// inFile prepares a run in a file: it locks the file and makes the journal.
func (r *change) inFile(x *Array, o taskOptions) (err error) {
	if r.target, err = openTarget(x.file.Path(), o); err != nil {
		return err
	}
	if err = r.open(x, o); err != nil {
		return errors.Join(err, r.target.Close())
	}
	return nil
}

func openTarget(path string, o taskOptions) (*shm.Mapping, error) {
	return shm.OpenTarget(path, shm.TargetOptions{Patience: targetPatience, Linked: o.linked})
}

// open makes the journal of a run in a file that is locked.
func (r *change) open(x *Array, o taskOptions) error {
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
	// Since it was opened, or the values of reductions were found.
	if err := x.file.mapping.Changed(); err != nil {
		return err
	}
	if err := r.target.Reserve(x.Offset, x.Size()); err != nil {
		return err
	}
	h := &journal.Header{
		Gangsaw: version(),
		Array:   journal.ArrayOf(x.Array),
		Program: r.program,
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
	r.program = r.journal.Header.Program
	array, err := r.journal.Array()
	if err != nil {
		return err
	}
	r.job = engine.Job{
		Program: wire.Program{Kernel: r.program.Kernel, Type: array.Type, Params: string(r.program.Params)},
		Plan:    partition.New(array, r.journal.Header.Chunk, r.pool.options.workers),
		Limit:   o.limit,
	}
	if r.job.Plan.ChunkBytes() != r.journal.Header.Chunk {
		return r.refuse(fmt.Sprintf("no array is cut into chunks of %d bytes", r.journal.Header.Chunk), "abandon it")
	}
	if r.program.Kernel != "" {
		err = r.kernel(array)
	} else {
		err = r.expressions(array)
	}
	if err != nil {
		return err
	}
	build, err := proc.Build()
	if err != nil {
		return err
	}
	if build != r.program.Build && !o.anyBuild {
		return r.refuse("another build of the program began the run, and may compute otherwise", "resume with that build, or say that any will do")
	}
	return r.journal.Grow(engine.Seats(r.pool.options.workers))
}

func (r *change) refuse(what, remedy string) error {
	return &JournalError{Path: r.journal.Path(), What: what, Remedy: remedy}
}

// kernel looks for the kernel of a run that was interrupted.
func (r *change) kernel(array format.Array) error {
	name := r.program.Kernel
	routine, ok := kernels.LookupRoutine(name)
	if !ok {
		return r.refuse(fmt.Sprintf("this program has no kernel %q", name), "resume with the program that began the run")
	}
	if out, _ := routine.Out(); out != array.Type || routine.Type() != array.Type {
		return r.refuse(fmt.Sprintf("kernel %q does not make %v of %v", name, array.Type, array.Type), "resume with the program that began the run")
	}
	return routine.Check()
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
	if err := r.tell(r.journal.Mapping(), &to.Mapping); err != nil {
		return err
	}
	if r.free == nil {
		r.job.Mapping = r.target
		if err := r.tell(r.target, &r.job.Number); err != nil {
			return err
		}
	}
	if err := r.bind(to); err != nil {
		return err
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
	errs := r.release()
	if stuck && r.pool.InProcess() {
		return errors.Join(errs...) // a goroutine that cannot be killed may still write there
	}
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
