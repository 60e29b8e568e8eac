package measure

import (
	"context"
	"encoding/binary"
	"math"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor"
)

// jobs measures a summary of the file by pools and, as one would write it by hand,
// by goroutines.
func (r *Report) jobs(ctx context.Context, f *source, workers int, budget time.Duration) error {
	ceiling := r.Best("read", "file", "warm", workers)
	add := func(name string, bytes int, took time.Duration) {
		found := rate(bytes, took)
		r.Jobs = append(r.Jobs, Job{name, workers, found, found / ceiling})
	}
	for _, way := range []struct {
		name string
		opts []supervisor.Option
	}{
		{"stat on worker processes", nil},
		{"stat on goroutines", []supervisor.Option{supervisor.InProcess()}},
	} {
		took, err := inPool(ctx, f, budget, append(way.opts, supervisor.Workers(workers)))
		if err != nil {
			return err
		}
		add(way.name, len(f.mapped), took)
	}
	took, err := best(ctx, budget, func() error {
		share(workers, len(f.mapped), func(first, end int) { byHand(f.mapped[first:end]) })
		return nil
	})
	add("plain goroutines", covered(workers, len(f.mapped)), took)
	return err
}

func inPool(ctx context.Context, f *source, budget time.Duration, opts []supervisor.Option) (time.Duration, error) {
	pool, err := supervisor.Start(ctx, opts...)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	file, err := pool.File(f.file.Name(), supervisor.Raw(raw.Layout{Type: kernels.Float64}))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return best(ctx, budget, func() error {
		_, err := pool.Stat(ctx, file.Arrays()[0])
		return err
	})
}

// byHand is count, minimum, maximum, plain sum and plain sum of squares, and uses
// nothing of gangsaw.
func byHand(part []byte) {
	lo, hi, sum, squares := math.Inf(1), math.Inf(-1), 0.0, 0.0
	for i := 0; i+8 <= len(part); i += 8 {
		x := math.Float64frombits(binary.LittleEndian.Uint64(part[i:]))
		lo, hi = min(lo, x), max(hi, x)
		sum += x
		squares += x * x
	}
	sink.Add(math.Float64bits(lo + hi + sum + squares))
}
