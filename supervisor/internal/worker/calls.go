package worker

import (
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// calls runs a function once for each of many parameters, from the first on that
// has no answer. An error or a panic of one is its answer, and no other's.
func (w *Worker) calls(p *program, data []byte) error {
	calls, err := wire.GetCalls(data)
	if err != nil {
		return err
	}
	mem, err := w.Mapping(p.target.Mapping, true)
	if err != nil {
		return err
	}
	if mem, err = shm.Slice(mem, p.target.Destination, uint64(len(mem))-min(p.target.Destination, uint64(len(mem)))); err != nil {
		return err
	}
	answers, err := wire.AnswersTo(calls, mem)
	if err != nil {
		return err
	}
	// A function that has run is not to run again for want of room.
	for i := answers.Done(); i < calls.Len() && answers.Room(); i++ {
		w.beat.Progress(i * wire.ProgressStep)
		status := wire.OK
		payload, err := call(p, calls.Params(i))
		if err != nil {
			status, payload = outcome(err)
		}
		answers.Put(i, status, payload)
	}
	return nil
}

func call(p *program, params []byte) ([]byte, error) {
	run, err := p.each.Prepare(params)
	if err != nil {
		return nil, err
	}
	return guard(run, nil, nil, func(int) {})
}
