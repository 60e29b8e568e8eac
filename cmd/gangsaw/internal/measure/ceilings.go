package measure

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edsrzf/mmap-go"

	"github.com/gangsaw/gangsaw/bench/ceiling"
)

// sink keeps what loops find, so that no compiler leaves them out.
var sink atomic.Uint64

// share has each of n goroutines do a part of size bytes.
func share(n, size int, do func(first, end int)) {
	var group sync.WaitGroup
	part := size / n / ceiling.Step * ceiling.Step
	for i := range n {
		group.Go(func() { do(i*part, (i+1)*part) })
	}
	group.Wait()
}

// covered returns how many bytes share deals out.
func covered(n, size int) int { return size / n / ceiling.Step * ceiling.Step * n }

// ceilings measures what n workers can read and copy.
func (r *Report) ceilings(ctx context.Context, f *source, n int, budget time.Duration) error {
	size := len(f.memory)
	read := func(l ceiling.Loop, src []byte) {
		share(n, size, func(first, end int) { sink.Add(l.Load(src[first:end])) })
	}
	copied := func(l ceiling.Loop, dst, src []byte) {
		share(n, size, func(first, end int) { l.Copy(dst[first:end], src[first:end]) })
	}
	for _, way := range []struct {
		what, from, mapping string
		factor              int // bytes that are moved for each of the source
		run                 func(l ceiling.Loop) error
	}{
		{"read", "memory", "warm", 1, func(l ceiling.Loop) error { read(l, f.memory); return nil }},
		{"read", "file", "warm", 1, func(l ceiling.Loop) error { read(l, f.mapped); return nil }},
		{"read", "file", "fresh", 1, func(l ceiling.Loop) error {
			m, err := f.mapFile()
			if err != nil {
				return err
			}
			read(l, m)
			return m.Unmap()
		}},
		{"copy", "file", "warm", 2, func(l ceiling.Loop) error { copied(l, f.dst, f.mapped); return nil }},
		{"copy", "memory", "warm", 2, func(l ceiling.Loop) error { copied(l, f.dst, f.memory); return nil }},
		{"copy", "memory", "fresh", 2, func(l ceiling.Loop) error {
			m, err := mmap.MapRegion(nil, size, mmap.RDWR, mmap.ANON, 0)
			if err != nil {
				return err
			}
			copied(l, m, f.memory)
			return m.Unmap()
		}},
	} {
		c := Ceiling{What: way.what, From: way.from, Mapping: way.mapping, Workers: n}
		loops := ceiling.Loops()
		for _, l := range loops {
			took, err := best(ctx, budget/time.Duration(len(loops)), func() error { return way.run(l) })
			if err != nil {
				return err
			}
			if rate := rate(way.factor*covered(n, size), took); rate > c.Rate {
				c.Rate, c.Loop = rate, l.Name
			}
		}
		r.Ceilings = append(r.Ceilings, c)
	}
	return nil
}
