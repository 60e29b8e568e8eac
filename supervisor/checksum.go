package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
)

// ChecksumError reports a file that keeps a checksum of an array, which may not be
// that of its bytes any more.
type ChecksumError struct {
	File, Array string
	Kind        string // such as "CRC-32"
	Err         error
	Remedy      string // empty while the run can be resumed
}

func (e *ChecksumError) Error() string {
	s := fmt.Sprintf("%s: array %q: the file keeps a checksum of it (%s), which may be wrong now: %v", e.File, e.Array, e.Kind, e.Err)
	if e.Remedy != "" {
		s += ": " + e.Remedy
	}
	return s
}

// Unwrap returns what was in the way.
func (e *ChecksumError) Unwrap() error { return e.Err }

// storeSums sets the checksums that the target keeps of the array to those of its
// bytes. Whoever dies meanwhile leaves the journal, by which it is done again.
func (r *change) storeSums(ctx context.Context, remedy string) error {
	if r.free != nil {
		return nil
	}
	a, err := r.journal.Array()
	if err != nil || len(a.Checksums) == 0 {
		return err
	}
	patches, err := format.Sums(readerUntil{ctx, r.target}, a)
	for _, p := range patches {
		if err == nil {
			_, err = r.target.WriteAt(p.Bytes, p.Offset)
		}
	}
	if err == nil {
		return nil
	}
	if changed := r.target.Changed(); changed != nil {
		err = changed // it was truncated, say
	}
	return r.wrongSums(a, err, remedy)
}

// rewriteIt is the remedy where there is no journal any more.
const rewriteIt = "write the file again"

// leaveSums stores the checksums where the journal is useless but its file is the one
// that it is about. Otherwise it tells of a file that keeps some.
func (r *change) leaveSums() error {
	if r.journal == nil {
		return r.unknownSums()
	}
	a, err := r.journal.Array()
	if err != nil || len(a.Checksums) == 0 {
		return nil
	}
	id, err := journal.TargetOf(r.target, a, nil)
	if err != nil {
		return r.wrongSums(a, err, rewriteIt)
	}
	was := r.journal.Header.Target
	switch what := id.Differs(was); {
	case what == "":
		return r.storeSums(context.Background(), rewriteIt)
	case id.Inode == was.Inode && id.Born == was.Born:
		return r.wrongSums(a, errors.New("the file "+what), rewriteIt)
	}
	return nil // a copy of the data, say
}

// unknownSums tells of the checksums that the target keeps of any array.
func (r *change) unknownSums() error {
	info, err := r.target.File().Stat()
	if err != nil {
		return err
	}
	_, arrays, err := format.Detect(r.target, info.Size())
	if err != nil {
		return nil
	}
	for _, a := range arrays {
		if len(a.Checksums) > 0 {
			return r.wrongSums(a, errors.New("the journal does not tell whether the array was changed"), rewriteIt)
		}
	}
	return nil
}

func (r *change) wrongSums(a format.Array, err error, remedy string) error {
	return &ChecksumError{r.target.Path(), a.Name, a.Checksums[0].Kind, err, remedy}
}

// readerUntil reads until a context is done.
type readerUntil struct {
	context.Context
	io.ReaderAt
}

func (r readerUntil) ReadAt(b []byte, at int64) (int, error) {
	if r.Err() != nil {
		return 0, context.Cause(r.Context)
	}
	return r.ReaderAt.ReadAt(b, at)
}
