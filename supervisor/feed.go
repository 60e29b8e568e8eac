package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// feed has arrays decoded while a job reads them. To workers such an array is like
// any other: it lies in a mapping, element i at its place. The mapping is sparse, and
// a chunk is handed out once its elements are there; when no worker will come to a
// chunk any more, the memory of those up to it is given back. So kernels overlap with
// decoding, chunks are retried as ever, and no more is in memory than may be.
type feed struct {
	pool  *Pool
	parts []*feedPart
	first int64 // element that the job begins with
	count int64 // elements of its plan
	chunk int64 // elements of every chunk but the last
	from  int64 // chunk that is decoded first
	to    int64 // and the one after the last
	ahead int64 // chunks that may be in memory

	ready atomic.Uint64 // chunks that are decoded, with those before from

	mu       sync.Mutex
	finished map[uint64]bool // chunks behind a gap
	done     uint64          // chunks without one, with those before from
	more     chan struct{}   // done has grown
}

// feedPart is what is decoded of one file.
type feedPart struct {
	file    *File
	columns []int // that the job reads; once it runs, those that have to be decoded
	keep    bool  // they stay in memory
	decoder format.Decoder
}

// plan leaves out what is in memory already, and adds what is to be decoded and kept with
// the rest.
func (p *feedPart) plan(f *feed, limit int64) {
	d := p.file.decoding
	p.columns = slices.DeleteFunc(p.columns, func(c int) bool { return slices.Contains(d.kept, c) })
	if len(p.columns) == 0 || f.first > 0 || f.from > 0 || f.end() < d.columns[p.columns[0]].Len() {
		return
	}
	if group := d.group(p.columns, limit); group != nil {
		p.columns, p.keep = group, true
	}
}

// DecodeMemoryError reports that a chunk of decoded elements does not fit in the
// memory that [DecodeMemory] leaves.
type DecodeMemoryError struct{ Want, Limit int64 }

func (e *DecodeMemoryError) Error() string {
	return fmt.Sprintf("two chunks of decoded numbers take %d bytes, of %d that they may: let them have more (--decode-memory), or make chunks smaller (--chunk)", e.Want, e.Limit)
}

// reading is what a job reads of an array: as many elements as its chunks have
// together, from one on.
type reading struct {
	mapping uint32
	offset  uint64 // of the first element, in bytes
	inOrder bool   // chunks go through elements that lie one after another
}

// reading returns that of a job that reads all of the array.
func (x *Array) reading() reading {
	return reading{x.file.number, uint64(x.Offset), true}
}

// readings returns those of a job whose program is bound.
func readings(b *wire.Binding) []reading {
	var all []reading
	for _, s := range b.Inputs {
		size := uint64(s.Type.Size())
		all = append(all, reading{s.Mapping, s.Offset + b.First*size, b.Rows == 0 && !s.Swapped && adjacent(s.Strides, b.Shape, size)})
	}
	return all
}

// adjacent reports whether elements of a shape with such strides lie one after
// another; nil strides say so.
func adjacent(strides []int64, shape []uint64, size uint64) bool {
	if strides == nil {
		return true
	}
	for i, n := range slices.Backward(shape) {
		if n > 1 && strides[i] != int64(size) {
			return false
		}
		size *= n
	}
	return true
}

// run runs a job that reads arrays, of which some may have to be decoded meanwhile.
func (p *Pool) run(ctx context.Context, job engine.Job, reads ...reading) error {
	f, err := p.newFeed(job, reads)
	if err != nil {
		return err
	}
	if f == nil {
		return p.engine.Run(ctx, job)
	}
	return f.run(ctx, job)
}

// newFeed returns what feeds a job, nil if nothing has to.
func (p *Pool) newFeed(job engine.Job, reads []reading) (*feed, error) {
	var f *feed
	var width int64
	for _, r := range reads {
		file := p.decodedFile(r.mapping)
		if file == nil {
			continue
		}
		column, first, ok := file.decoding.at(int64(r.offset))
		if f == nil {
			f = &feed{pool: p, first: first, chunk: 1, finished: map[uint64]bool{}, more: make(chan struct{}, 1)}
			f.from, f.to = int64(job.From), int64(job.To)
			if n := job.Plan.Chunks(); n > 0 {
				if job.To == 0 {
					f.to = int64(n)
				}
				f.chunk = int64(job.Plan.Chunk(0).Count)
				f.count = int64(n-1)*f.chunk + int64(job.Plan.Chunk(n-1).Count)
			}
		}
		c := &file.decoding.columns[column]
		if !ok || !r.inOrder || first != f.first || f.count > c.Len()-first {
			return nil, &DecodedError{file.Path(), c.Name, "and expressions that take several parts of it, or repeat it, or reduce it along axes of others, need all of it in memory: write it to a file first (gangsaw eval ... -o x.npy)"}
		}
		part := f.part(file)
		if !slices.Contains(part.columns, column) {
			part.columns = append(part.columns, column)
			width += int64(c.Type.Size())
		}
	}
	if f == nil {
		return nil, nil
	}
	f.done = uint64(f.from)
	f.ready.Store(f.done)
	// Others take turns in the same order.
	slices.SortFunc(f.parts, func(a, b *feedPart) int { return cmp.Compare(a.file.number, b.file.number) })
	limit := p.options.decode
	if f.ahead = limit / width / min(f.chunk, max(f.count, 1)); f.ahead < min(2, f.to-f.from) {
		hi, want := bits.Mul64(uint64(2*width), uint64(f.chunk))
		if hi != 0 || want > 1<<62 {
			want = 1 << 62
		}
		return nil, &DecodeMemoryError{int64(want), limit}
	}
	return f, nil
}

func (f *feed) part(file *File) *feedPart {
	for _, p := range f.parts {
		if p.file == file {
			return p
		}
	}
	f.parts = append(f.parts, &feedPart{file: file})
	return f.parts[len(f.parts)-1]
}

// decodedFile returns the file whose decoded arrays have that mapping, or nil.
func (p *Pool) decodedFile(number uint32) *File {
	file, _ := p.decoded.Load(number)
	f, _ := file.(*File)
	return f
}

// run runs the job. Nothing of it runs any more when it returns.
func (f *feed) run(ctx context.Context, job engine.Job) (err error) {
	for i, p := range f.parts {
		select {
		case p.file.decoding.turn <- struct{}{}:
			defer func() { <-p.file.decoding.turn }()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		job.Also = append(job.Also[:len(job.Also):len(job.Also)], f.parts[i].file.decoding.source)
	}
	lasting := true
	for _, p := range f.parts {
		p.plan(f, f.pool.options.decode/2)
		lasting = lasting && (p.keep || len(p.columns) == 0)
	}
	if lasting {
		f.ahead = math.MaxInt64 // nothing is given back that could be waited for
	}
	job.Supply, job.Finished = f.ready.Load, f.finish
	ctx, cancel := context.WithCancelCause(ctx)
	decoded := make(chan struct{})
	go func() {
		defer close(decoded)
		if err := f.decode(ctx); err != nil {
			cancel(err)
		}
	}()
	err = f.pool.engine.Run(ctx, job)
	cancel(nil)
	<-decoded
	for _, p := range f.parts {
		if p.keep && err == nil {
			p.file.decoding.kept = append(p.file.decoding.kept, p.columns...)
		} else if p.keep {
			p.keep = false // given back with the rest
		}
	}
	return errors.Join(err, f.release(f.from*f.chunk, f.end()))
}

// end returns the element of the plan after the job's last.
func (f *feed) end() int64 { return min(f.to*f.chunk, f.count) }

// finish notes that no worker will come to a chunk any more.
func (f *feed) finish(chunk uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finished[chunk] = true
	for f.finished[f.done] {
		delete(f.finished, f.done)
		f.done++
	}
	select {
	case f.more <- struct{}{}:
	default:
	}
}

// decode decodes the job's elements, a chunk at a time.
func (f *feed) decode(ctx context.Context) (err error) {
	defer func() {
		for _, p := range f.parts {
			if p.decoder != nil {
				err = errors.Join(err, p.decoder.Close())
			}
		}
	}()
	released := f.from
	for chunk := f.from; chunk < f.to; chunk++ {
		done, err := f.room(ctx, chunk)
		if err != nil {
			return err
		}
		if done > released {
			if err := f.release(released*f.chunk, done*f.chunk); err != nil {
				return err
			}
			released = done
		}
		from, to := chunk*f.chunk, min((chunk+1)*f.chunk, f.count)
		for _, p := range f.parts {
			if err := p.decode(f.first, f.from*f.chunk, from, to); err != nil {
				return err
			}
		}
		f.ready.Store(uint64(chunk) + 1)
		f.pool.engine.Supplied()
	}
	return nil
}

// room waits until another chunk may be in memory, and returns how many are done
// with.
func (f *feed) room(ctx context.Context, chunk int64) (done int64, err error) {
	for {
		f.mu.Lock()
		done := int64(f.done)
		f.mu.Unlock()
		if ctx.Err() == nil && chunk-done < f.ahead {
			return done, nil
		}
		select {
		case <-f.more:
		case <-ctx.Done():
			return done, context.Cause(ctx)
		}
	}
}

// decode decodes elements of the job's plan, which begins with element first; those
// before skip are none of the job's.
func (p *feedPart) decode(first, skip, from, to int64) error {
	if len(p.columns) == 0 {
		return nil
	}
	d := p.file.decoding
	err := format.Guard(d.format.Name, func() (err error) {
		if p.decoder == nil {
			var indices []int
			for _, c := range p.columns {
				indices = append(indices, d.indices[c])
			}
			if p.decoder, err = d.table.Decode(indices); err != nil {
				return err
			}
			if first+skip > 0 {
				if err := p.decoder.Skip(first + skip); err != nil {
					return err
				}
			}
		}
		var dst [][]byte
		for _, c := range p.columns {
			at, length := d.region(c, first+from, first+to)
			if err := d.memory.Reserve(at, length); err != nil {
				return err
			}
			dst = append(dst, d.memory.Bytes()[at:][:length])
		}
		return p.decoder.Decode(dst, int(to-from))
	})
	if err == nil {
		return nil
	}
	// Whatever was met in a file that changed comes from the change.
	if changed := d.source.Changed(); changed != nil {
		return changed
	}
	return fmt.Errorf("%s: %w", p.file.Path(), err)
}

// region returns where elements of a column are in memory.
func (d *decoding) region(column int, from, to int64) (at, length int64) {
	size := int64(d.columns[column].Type.Size())
	return d.columns[column].Offset + from*size, (to - from) * size
}

// release gives back the memory of elements of the job, with nothing before them
// needed any more: whole pages, of which the last may wait for the next call.
func (f *feed) release(from, to int64) error {
	if from == to {
		return nil
	}
	page := int64(os.Getpagesize())
	for _, p := range f.parts {
		if p.keep {
			continue
		}
		for _, c := range p.columns {
			at, length := p.file.decoding.region(c, f.first+from, f.first+to)
			begin, end := at/page*page, (at+length)/page*page
			if to == f.end() {
				end = (at + length + page - 1) / page * page // columns share none
			}
			if begin == end {
				continue
			}
			if err := p.file.decoding.memory.Release(begin, end-begin); err != nil {
				return err
			}
		}
	}
	return nil
}
