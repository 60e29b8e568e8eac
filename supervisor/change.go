package supervisor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"
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
	values  []values      // that expressions read, and are to be kept
	job     engine.Job
	name    string // of the journal, if there was one already
	journal *journal.Journal
	target  *shm.Mapping
	free    func() error // of the journal's memory, in an arena; nil in a file
	known   []uint32     // mappings that the workers were told of
	code    *boundCode
	inputs  []*File // that a resumed run has opened
	renew   func() error
	lost    atomic.Bool // a worker that was killed may go on with it
}

// seats returns how many areas the pool's workers may need.
func (p *Pool) seats() uint32 { return engine.Seats(p.options.workers + p.options.standby) }

// begin changes an array.
func (r *change) begin(ctx context.Context, x *Array, o taskOptions) (err error) {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := x.mapped(); err != nil {
		return err
	}
	if x.Len() == 0 {
		return nil
	}
	pieces, _ := x.several()
	r.job.Plan = cutOf(x.Array, pieces, r.pool.options.chunk, r.pool.options.workers)
	if err := x.replaceable(); err != nil {
		return err
	}
	if r.binding == nil || x.file.format == arenaFormat {
		if err := x.plain(); err != nil {
			return err
		}
	}
	if x.file.format == arenaFormat {
		if err := r.inArena(x); err != nil {
			return err
		}
		return r.run(ctx, o)
	}
	if err := r.inFile(ctx, x, o); err != nil {
		return err
	}
	// What the run has changed is no surprise to who has the file open.
	r.renew = func() error {
		x.forget()
		return x.holder().mapping.Renew(r.target, x.pieces()[0].Offset)
	}
	return r.run(ctx, o)
}

// inArena prepares a run in an arena, whose journal dies with this process.
func (r *change) inArena(x *Array) error {
	if !x.file.mapping.Writable() {
		return fmt.Errorf("%s: array %q is not for writing: make it in an arena with supervisor.Output", x.file.Path(), x.Name)
	}
	g := journal.Geometry{Bytes: uint64(x.Size()), Chunk: r.job.Plan.ChunkBytes(), Unit: journal.UnitOf(x.Type)}
	if err := g.Check(); err != nil {
		return err
	}
	areas := r.pool.seats()
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
func (r *change) inFile(ctx context.Context, x *Array, o taskOptions) (err error) {
	if r.target, err = openTarget(ctx, x.holder().mapping.Where(), x.file.Path(), o); err != nil {
		return err
	}
	if err = r.open(ctx, x, o); err != nil {
		return errors.Join(err, r.target.Close())
	}
	return nil
}

func openTarget(ctx context.Context, where, name string, o taskOptions) (*shm.Mapping, error) {
	return shm.OpenTarget(ctx, where, shm.TargetOptions{Name: name, Patience: targetPatience, Linked: o.linked})
}

// open makes the journal of a run in a file that is locked.
func (r *change) open(ctx context.Context, x *Array, o taskOptions) (err error) {
	source, stored := x.holder().mapping, x.stored()
	if !r.target.Same(source) {
		return &shm.ChangedError{Path: x.file.Path(), What: "was replaced", InPlace: true}
	}
	name, found, err := journal.Find(r.target, o.journalDir)
	if err != nil {
		return err
	}
	if found {
		return &InterruptedError{x.file.Path(), name}
	}
	// Since it was opened, or the values of reductions were found. Room for holes is
	// made after that, which counts as writing.
	if err := source.Changed(); err != nil {
		return err
	}
	for _, p := range x.pieces() {
		offset, size := p.Extent()
		if err := r.target.Reserve(int64(offset), int64(size)); err != nil {
			return err
		}
	}
	var backup *journal.Backup
	if o.backup {
		if backup, err = r.backUp(ctx, name); err != nil {
			return err
		}
		defer func() {
			if r.journal == nil {
				err = errors.Join(err, journal.RemoveBackup(name, backup))
			}
		}()
	}
	h := &journal.Header{
		Backup:  backup,
		Gangsaw: version(),
		Array:   stored,
		Program: r.program,
		Chunk:   r.job.Plan.ChunkBytes(),
		Unit:    journal.UnitOf(x.Type),

		Checksums: x.Checksums,
	}
	if h.Target, err = journal.TargetOf(r.target, x.Array, stored.Pieces); err != nil {
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
	if err := r.writeValues(name, info.Mode()); err != nil {
		return err
	}
	h.Program.Inputs = r.program.Inputs
	if r.journal, err = journal.Create(name, h, r.pool.seats(), info.Mode()); err != nil {
		return errors.Join(err, removeValues(name))
	}
	r.journal.Begin(r.target)
	return nil
}

// backUp makes the backup of the target, which nobody may write to meanwhile.
func (r *change) backUp(ctx context.Context, name string) (*journal.Backup, error) {
	before, err := r.target.File().Stat()
	if err != nil {
		return nil, err
	}
	backup, err := journal.MakeBackup(ctx, name, r.target)
	if err != nil {
		return nil, err
	}
	after, err := r.target.File().Stat()
	if err == nil && (after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime())) {
		err = &shm.ChangedError{Path: r.target.Path(), What: "was written to", InPlace: true}
	}
	if err != nil {
		return nil, errors.Join(err, journal.RemoveBackup(name, backup))
	}
	return backup, nil
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
// what the dead left half done. With a *JournalError it returns what it has.
func reopen(ctx context.Context, path string, o taskOptions) (*change, error) {
	target, err := openTarget(ctx, path, path, o)
	if err != nil {
		return nil, err
	}
	r := &change{target: target}
	if err = r.find(path, o); err == nil {
		err = r.repair()
	}
	var useless *JournalError
	if errors.As(err, &useless) {
		return r, err
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// find opens the journal that a run has left of the file.
func (r *change) find(path string, o taskOptions) error {
	name, found, err := journal.Find(r.target, o.journalDir)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s: %w (there is no journal %s)", path, ErrNotInterrupted, name)
	}
	r.name = name
	r.journal, err = journal.Open(name, r.target)
	return err
}

// repair makes whole what the dead left half done, if the journal is about the file.
func (r *change) repair() error {
	array, err := r.journal.Array()
	if err != nil {
		return err
	}
	id, err := journal.TargetOf(r.target, array, r.journal.Header.Array.Pieces)
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
		Plan:    cutOf(array, r.journal.Header.Array.Pieces, r.journal.Header.Chunk, r.pool.options.workers),
		Limit:   o.limit,
		Late:    o.late,
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
	return r.journal.Grow(r.pool.seats())
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
func (r *change) run(ctx context.Context, o taskOptions) error {
	e := r.pool.engine
	err := r.attach()
	if err == nil {
		r.announce(o)
		err = e.Run(ctx, r.job)
	}
	if err != nil {
		err = r.early(err)
	} else if err = r.storeSums(ctx, ""); err != nil {
		err = &InPlaceError{File: r.target.Path(), Array: r.array().Name, Journal: r.journal.Path(), Backup: r.journal.Backup(), Applied: r.journal.All(), Err: err}
	} else if err = r.finish(); err != nil {
		err = &InPlaceError{File: r.target.Path(), Array: r.array().Name, Applied: r.journal.All(), Err: err}
	}
	if r.renew != nil {
		// Before anybody else may change it.
		err = errors.Join(err, r.renew())
	}
	return errors.Join(err, r.close())
}

// announce tells who asked for it that a file is about to be changed.
func (r *change) announce(o taskOptions) {
	if o.begins != nil && r.free == nil {
		a := r.array()
		o.begins(Change{r.target.Path(), a.Name, a.Size(), r.journal.Path(), r.journal.Backup()})
	}
}

// finish deletes the journal of a run that is complete, or has changed nothing.
func (r *change) finish() error {
	if r.free != nil {
		return nil
	}
	journal.End(r.target)
	if err := r.journal.Remove(); err != nil {
		return err
	}
	if !slices.ContainsFunc(r.journal.Header.Program.Inputs, func(i journal.Input) bool { return i.Values }) {
		return nil
	}
	return removeValues(r.journal.Path())
}

func (r *change) array() format.Array { return r.job.Plan.Array() }

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
	r.job.Lost = &r.lost
	r.job.Repair = func(seat uint32) error { return r.journal.Repair(seat, r.target) }
	r.job.Accept = func(chunk uint64, result []byte) error {
		finished, err := r.journal.Finished(chunk)
		switch {
		case err != nil:
			return &engine.JobError{Err: fmt.Errorf("reading the journal %s: %w", r.journal.Path(), err)}
		case !finished || len(result) > 0:
			return fmt.Errorf("chunk %d is said to be finished, and is not", chunk)
		}
		return nil
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
	failed := &InPlaceError{File: r.target.Path(), Array: r.array().Name, Journal: r.journal.Path(), Err: cause}
	lost := r.lost.Load()
	var err error
	if !lost {
		// The engine has, unless it could not, as now may be.
		err = r.journal.RepairAll(r.target)
	}
	whole := err == nil && !lost
	var unread error
	if failed.Applied, failed.Rest, unread = r.journal.Ranges(); unread != nil {
		return errors.Join(failed, err, unread)
	}
	if whole && len(failed.Applied) == 0 {
		failed.Journal = ""
		err = r.finish()
		if r.free == nil && r.journal.Header.Backup != nil {
			err = errors.Join(err, journal.RemoveBackup(r.journal.Path(), r.journal.Header.Backup))
		}
	} else {
		failed.Backup = r.journal.Backup()
	}
	return errors.Join(failed, err)
}

// close lets go of the target and of the journal.
func (r *change) close() error {
	for _, number := range r.known {
		r.pool.engine.Detach(number)
	}
	errs := r.release()
	if r.lost.Load() && r.pool.InProcess() {
		return errors.Join(errs...) // a goroutine that cannot be killed may still write there
	}
	if r.journal != nil {
		errs = append(errs, r.journal.Close())
	}
	if r.free != nil {
		return errors.Join(append(errs, r.free())...)
	}
	if !r.lost.Load() {
		// Workers still have the file, and may come to the message late.
		errs = append(errs, r.target.Unlock())
	}
	return errors.Join(append(errs, r.target.Close())...)
}

// cutOf cuts an array whose elements may lie apart, or in pieces.
func cutOf(a format.Array, pieces journal.Pieces, chunk uint64, workers int) partition.Plan {
	switch {
	case pieces != nil:
		return partition.Pieces(a, pieces, chunk, workers)
	case a.Contiguous():
		return partition.New(a, chunk, workers)
	}
	return partition.Scattered(a, uint64(a.Len()), chunk, workers)
}
