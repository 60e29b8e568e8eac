package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
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
// error of the kernel, or a panic, ends the run; deaths of workers at one place leave
// the up to 16 KiB of elements there as they were, and what is behind them in the
// same chunk, and the rest is done. What else a kernel does than to set
// elements may happen more than once. Checksums that the file keeps of the array, as
// .npz and FITS do, are set to those of its bytes before the journal goes; whether
// they were right before nobody looks. The death of the machine is not covered:
// keep a copy, by [Backup] say, which [Restore] puts back.
func (p *Pool) InPlace(ctx context.Context, c kernels.MapCall, x *Array, opts ...TaskOption) error {
	o := taskOptionsOf(opts)
	if err := p.readable(ctx, x); err != nil {
		return err
	}
	job, err := p.job(c.Routine(), c.Params(), x, o)
	if err == nil {
		err = x.inPlaceable()
	}
	if err != nil {
		return err
	}
	if out, _ := c.Routine().Out(); out != x.Type {
		return fmt.Errorf("%s: kernel %q makes elements of type %v of those of type %v, and cannot work in place", x.file.Path(), c.Routine().Name(), out, x.Type)
	}
	r := &change{pool: p, job: job, program: journal.Program{Kernel: c.Routine().Name(), Params: c.Params()}}
	return r.begin(ctx, x, o)
}

// EvalInPlace replaces the elements of x, which is one of the query's arrays, by the
// value of its only expression, exactly once: see [Pool.InPlace]. Reductions are
// computed before anything is changed. The value has to fit the type of x, as NumPy
// has it, or is cast in the expression. x lies in a file, perhaps in several pieces, as in
// the record batches of an Arrow file, and so do the others, which are not to change until
// the run is finished.
func (p *Pool) EvalInPlace(ctx context.Context, q Query, x *Array, opts ...TaskOption) (_ []expr.Note, err error) {
	o := taskOptionsOf(opts)
	if q.Where != "" {
		return nil, errors.New("a condition restricts reductions: what is not to change is said by where(...)")
	}
	if err := p.readable(ctx, x); err != nil {
		return nil, err
	}
	if err := x.replaceable(); err != nil {
		return nil, err
	}
	order := expr.COrder
	if x.Fortran {
		order = expr.FortranOrder
	}
	e, err := p.compile(ctx, q, expr.Options{Apart: true, As: x.ValueType(), Order: order})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	r, err := e.replacing(x)
	if err != nil {
		return nil, err
	}
	e.foretell(q, true)
	pass, err := e.reduce(ctx)
	if err != nil {
		return nil, err
	}
	r.pool = p
	r.job = engine.Job{Program: wire.Program{Type: x.Type}, Limit: o.limit, Late: o.late}
	if err := r.read(e, pass, q.Text, x); err != nil {
		return nil, err
	}
	return e.run.Notes(), r.begin(ctx, x.alone(), o)
}

// Resume finishes the run of [Pool.InPlace] that was interrupted in the file at
// path, by its journal, and waits until whatever is left of it is gone. The error
// is [ErrNotInterrupted] if there is none, a *[JournalError] if it cannot be
// finished, and an *[InPlaceError] if it is interrupted again.
func (p *Pool) Resume(ctx context.Context, path string, opts ...TaskOption) error {
	o := taskOptionsOf(opts)
	r, err := reopen(ctx, path, o)
	if r != nil && err != nil {
		return errors.Join(err, r.close())
	}
	if err != nil {
		return err
	}
	r.pool = p
	if err := r.again(o); err != nil {
		return errors.Join(err, r.close())
	}
	return r.run(ctx, o)
}

// Abandon gives up the run of [Pool.InPlace] that was interrupted in the file at
// path and deletes its journal. It returns which bytes of the file were changed and
// which were not, if the journal can tell. A file that keeps checksums of the array
// then has those of its bytes; where that cannot be, the error is a *[ChecksumError],
// and the journal is deleted all the same.
func Abandon(path string, opts ...TaskOption) (applied, rest []Range, err error) {
	r, err := reopen(context.Background(), path, taskOptionsOf(opts))
	if r == nil {
		return nil, nil, err
	}
	if err != nil { // it belongs to another file, say, and is deleted all the same
		left := r.leaveSums()
		journal.End(r.target)
		return nil, nil, errors.Join(left, os.Remove(r.name), removeValues(r.name), r.close())
	}
	if applied, rest, err = r.journal.Ranges(); err == nil {
		var left error
		if len(applied) > 0 {
			left = r.storeSums(context.Background(), rewriteIt)
		}
		err = errors.Join(left, r.finish())
	}
	return applied, rest, errors.Join(err, r.close())
}

// Restore puts the [Backup] back that a run of [Pool.InPlace] made before it was
// interrupted in the file at path, and deletes it, and the journal. Whatever cuts it
// short, the death of the machine included, Restore can be called again. The error is
// [ErrNotInterrupted] if there is no journal, a *[JournalError] if that is no use, and
// a *[BackupError] if the backup is none.
func Restore(ctx context.Context, path string, opts ...TaskOption) error {
	o := taskOptionsOf(opts)
	target, err := openTarget(ctx, path, path, o)
	if err != nil {
		return err
	}
	r := &change{target: target}
	if err = r.find(path, o); err == nil {
		if err = r.journal.Restore(ctx, target); err == nil {
			err = removeValues(r.journal.Path())
		}
	}
	return errors.Join(err, r.close())
}

// Backup has a run in place make a copy of the file first, beside the journal and
// named like it with "-backup" at the end. Where the file system can, the copy shares
// the file's blocks. It stays when the run is complete, and is deleted if the run has
// changed nothing; one that an earlier run left is not replaced. In an arena it does
// nothing.
func Backup() TaskOption { return func(o *taskOptions) { o.backup = true } }

// Change is a run in place that is about to change a file.
type Change struct {
	File, Array string
	Bytes       int64  // of the array
	Journal     string // by which [Pool.Resume] finishes the run
	Backup      string // that [Restore] puts back; empty if none was made
}

// BeforeChange has f called when all that could be checked is, and the first byte of
// a file is about to change, by a run that begins or is resumed.
func BeforeChange(f func(Change)) TaskOption { return func(o *taskOptions) { o.begins = f } }

// JournalDir has the journals of runs in place, and backups, lie in a directory, which
// has to be named again to resume where the file system has no extended attributes.
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

// BackupError reports a backup that cannot be made, or put back.
type BackupError = journal.BackupError

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
	Backup        string  // that [Restore] puts back instead; empty if there is none
	Applied, Rest []Range // of the file
	Err           error
}

func (e *InPlaceError) Error() string {
	what := "nothing was changed"
	if len(e.Rest) == 0 && len(e.Applied) > 0 {
		what = "all of it was changed in place, but"
	} else if len(e.Applied) > 0 {
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
