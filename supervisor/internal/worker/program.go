package worker

import (
	"fmt"
	"math/bits"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// program is a program made ready to run.
type program struct {
	record   wire.Record
	checksum uint32
	size     int           // bytes of an element, of all inputs together
	step     int           // bytes of an element of the array that is cut into chunks
	target   *wire.Target  // where a map writes
	inPlace  *wire.InPlace // how it changes the elements themselves, instead
	out      int           // bytes of an element there
	run      kernels.Run
	each     *kernels.Routine // a function to be called many times, then run is nil
	code     *evaluation      // expressions, then run is nil
	survey   *survey          // then run is nil
	view     *view            // what is folded or surveyed; nil: what descriptors name
	err      error            // why it cannot run
}

// task runs the descriptor's program over its chunk. It returns the program's
// checksum also with an error, if there is one.
func (w *Worker) task(d ring.Descriptor) (checksum uint32, payload []byte, err error) {
	record, err := wire.GetRecord(w.Control, d.Program)
	if err != nil {
		return 0, nil, err
	}
	p := w.of(record)
	if p.err != nil {
		return p.checksum, nil, p.err
	}
	w.told, w.size = 0, p.size
	w.readAhead(d, p)
	if p.inPlace != nil {
		return p.checksum, nil, w.change(d, p)
	}
	if p.code != nil {
		payload, err = w.evaluate(d, p.code)
		return p.checksum, payload, err
	}
	if p.view != nil {
		payload, err = w.look(d, p)
		return p.checksum, payload, err
	}
	data, err := w.elements(d, p.size, false)
	if err != nil {
		return p.checksum, nil, err
	}
	if p.survey != nil {
		payload, err = w.survey(d.Chunk, data, p.survey)
		return p.checksum, payload, err
	}
	if p.each != nil {
		return p.checksum, nil, w.calls(p, data)
	}
	var dst []byte
	if p.target != nil {
		if dst, err = w.destination(d, p); err != nil {
			return p.checksum, nil, err
		}
	}
	payload, err = guard(p.run, dst, data, w.progress)
	return p.checksum, payload, err
}

// leastAhead is how many bytes a chunk has that is worth a look whether it is in memory.
const leastAhead = 256 << 10

// readAhead has a file that is not in memory read in large pieces: this chunk, and
// the one behind it, which is most probably this worker's next.
func (w *Worker) readAhead(d ring.Descriptor, p *program) {
	length := d.Count * uint64(p.step)
	if d.Mapping == wire.NoMapping || length < leastAhead || length > 1<<40 {
		return
	}
	if mem, err := w.Mapping(d.Mapping, false); err == nil {
		shm.ReadAhead(mem, d.Offset, 2*length)
	}
}

// tell tells the supervisor how far the worker is, now and then.
func (w *Worker) tell(done int) {
	if done-w.told >= wire.ProgressStep {
		w.beat.Progress(done)
		w.told = done
	}
}

// elements returns the memory of a descriptor's elements, which may be none, to
// write to if so asked.
func (w *Worker) elements(d ring.Descriptor, size int, write bool) ([]byte, error) {
	if d.Mapping == wire.NoMapping && d.Count == 0 && !write {
		return nil, nil
	}
	mem, err := w.Mapping(d.Mapping, write)
	if err != nil {
		return nil, err
	}
	hi, length := bits.Mul64(d.Count, uint64(size))
	if hi != 0 || d.Count == 0 {
		return nil, fmt.Errorf("descriptor of %d elements", d.Count)
	}
	return shm.Slice(mem, d.Offset, length)
}

// destination returns where a map writes the descriptor's elements.
func (w *Worker) destination(d ring.Descriptor, p *program) ([]byte, error) {
	mem, err := w.Mapping(p.target.Mapping, true)
	if err != nil {
		return nil, err
	}
	// elements has checked that offset and count lie in memory.
	before := (d.Offset - p.target.Source) / uint64(p.size)
	hi, skip := bits.Mul64(before, uint64(p.out))
	offset := p.target.Destination + skip
	if d.Offset < p.target.Source || hi != 0 || offset < skip {
		return nil, fmt.Errorf("descriptor at %d of a target from %d", d.Offset, p.target.Source)
	}
	return shm.Slice(mem, offset, d.Count*uint64(p.out))
}

// maxPrograms bounds what a long life, or a scribbler, can make a worker keep.
const maxPrograms = 32

// programs keeps each program, with its scratch, that this worker has met.
type programs struct {
	known map[wire.Record]*program
	last  *program
}

// of returns the program of a record.
func (w *Worker) of(record wire.Record) *program {
	p := &w.programs
	if p.last != nil && p.last.record == record {
		return p.last
	}
	known, ok := p.known[record]
	if !ok {
		if len(p.known) >= maxPrograms {
			clear(p.known)
		}
		known = w.prepare(record)
		p.known[record] = known
	}
	p.last = known
	return known
}

// prepare makes a record's program ready to run.
func (w *Worker) prepare(record wire.Record) *program {
	prepared := &program{record: record, checksum: record.Checksum()}
	p, err := record.Program()
	if err != nil {
		prepared.err = err
		return prepared
	}
	if p.Type.Valid() {
		prepared.step = p.Type.Size()
	}
	if p.Code != nil {
		if prepared.code, prepared.err = w.prepareCode(p.Code); prepared.err == nil {
			for _, in := range prepared.code.binding.Inputs {
				prepared.size += in.Type.Size()
			}
		}
		return prepared
	}
	prepared.size, prepared.target, prepared.inPlace = p.Type.Size(), p.Target, p.InPlace
	if p.View != nil {
		if prepared.view, prepared.err = w.prepareView(p); prepared.err != nil {
			return prepared
		}
		prepared.size = prepared.view.typ.Size()
	}
	if p.Survey != nil {
		prepared.survey, prepared.err = w.prepareSurvey(p.Survey, p.Type)
		return prepared
	}
	if p.View != nil {
		return prepared
	}
	writes := p.Target != nil || p.InPlace != nil
	if r, ok := kernels.LookupReduction(p.Kernel); ok && !writes {
		prepared.run = r.NewRun(p.Type)
	} else if r, ok := kernels.LookupRoutine(p.Kernel); !ok {
		prepared.err = fmt.Errorf("no kernel is named %q", p.Kernel)
	} else if r.Type() != p.Type {
		prepared.err = fmt.Errorf("kernel %q takes %v, not %v", p.Kernel, r.Type(), p.Type)
	} else if out, maps := r.Out(); !maps && p.Target != nil {
		prepared.size, prepared.each = 1, r
	} else if maps != writes {
		prepared.err = fmt.Errorf("kernel %q writes elements: %v, the program has a target: %v", p.Kernel, maps, writes)
	} else if p.InPlace != nil && out != p.Type {
		prepared.err = fmt.Errorf("kernel %q makes %v of %v, and cannot work in place", p.Kernel, out, p.Type)
	} else {
		prepared.out = out.Size()
		prepared.run, prepared.err = r.Prepare([]byte(p.Params))
	}
	return prepared
}
