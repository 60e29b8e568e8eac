package supervisor

import (
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"io/fs"
	"os"

	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
)

// values are those of a reduction along axes which a change in place reads: they are
// not known any more once elements are changed, so that they lie in a file beside
// the journal, which has their checksum.
type values struct {
	input int // of the program
	in    expr.Operand
}

func valuesName(journal string) string { return journal + ".values" }

// valuesAlign is what the values of each reduction begin at a multiple of.
const valuesAlign = 64

// writeValues puts the values into a file, which is on the disk before the journal
// is, and opens it for the workers.
func (r *change) writeValues(name string, mode fs.FileMode) (err error) {
	if len(r.values) == 0 {
		return nil
	}
	path := valuesName(name)
	at := map[*expr.Table]int64{}
	defer func() {
		if err != nil {
			err = fmt.Errorf("the values %s beside the journal cannot be made: %w: free some room, or put the journal into another directory", path, err)
			os.Remove(path)
		}
	}()
	// One that is there belongs to no journal.
	if err := removeValues(name); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode&0o666|0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	end := int64(0)
	for _, v := range r.values {
		if _, done := at[v.in.Table]; done {
			continue
		}
		at[v.in.Table] = end
		if _, err := f.WriteAt(v.in.Table.Bytes, end); err != nil {
			return err
		}
		end = (end + int64(len(v.in.Table.Bytes)) + valuesAlign - 1) / valuesAlign * valuesAlign
	}
	if err := f.Truncate(max(1, end)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	opened, err := r.pool.openInput(path)
	if err != nil {
		return err
	}
	r.inputs = append(r.inputs, opened)
	r.job.Also = append(r.job.Also, opened.mapping)
	for _, v := range r.values {
		a := tableArray(v.in.Table)
		a.Offset = at[v.in.Table]
		from := sourceOf(v.in, &Array{Array: a, file: opened})
		r.binding.Inputs[v.input] = from
		r.program.Inputs[v.input] = journal.Input{
			Values: true, Sum: checksumOf(v.in.Table.Bytes), Array: journal.ArrayOf(a), Target: journal.Target{Size: max(1, end)},
			Offset: from.Offset, Strides: from.Strides,
		}
	}
	return nil
}

// reopenValues opens the values of a run that was interrupted.
func (r *change) reopenValues(input journal.Input) (*Array, error) {
	path := valuesName(r.journal.Path())
	remedy := "put the file back, or abandon the journal"
	a, err := input.Of()
	if err != nil {
		return nil, err
	}
	f := r.opened(path)
	if f == nil {
		if f, err = r.pool.openInput(path); err != nil {
			return nil, r.refuse(err.Error(), remedy)
		}
		r.inputs = append(r.inputs, f)
		r.job.Also = append(r.job.Also, f.mapping)
	}
	bytes := make([]byte, a.Size())
	n, err := f.mapping.ReadAt(bytes, a.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if n < len(bytes) || checksumOf(bytes) != input.Sum {
		return nil, r.refuse(fmt.Sprintf("the file %s does not hold the values that the run began with", path), remedy)
	}
	return &Array{Array: a, file: f}, nil
}

// opened returns an input that is open already, nil if none is.
func (r *change) opened(path string) *File {
	for _, f := range r.inputs {
		if f.Path() == path {
			return f
		}
	}
	return nil
}

// removeValues deletes the values beside a journal, if there are any.
func removeValues(journal string) error {
	if err := os.Remove(valuesName(journal)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func checksumOf(b []byte) uint64 { return crc64.Checksum(b, crc64.MakeTable(crc64.ECMA)) }
