// Package measure finds what this machine's memory gives, and what share of it
// gangsaw's kernels and pools reach. The ceilings are the simplest loops there are,
// of package ceiling; nothing of ours decides how high they are. All times are the
// best of several runs within a budget, since whatever disturbs a run makes it
// longer.
package measure

import (
	"context"
	"time"
)

// Options say what is measured.
type Options struct {
	Dir     string        // where the file lies whose page cache is read
	Size    int           // bytes of it, and of memory
	Workers int           // at most
	Time    time.Duration // for all of it: half for ceilings and pools, half for kernels
}

// Report is what was found.
type Report struct {
	Size     int       `json:"bytes"`
	Ceilings []Ceiling `json:"ceilings"`
	Jobs     []Job     `json:"jobs"`
	Kernels  []Kernel  `json:"kernels"`
	// Skipped is how many kernels the time did not suffice for.
	Skipped int `json:"kernels_skipped"`
}

// Ceiling is the best that any of the simplest loops does.
type Ceiling struct {
	What    string  `json:"what"`    // read or copy
	From    string  `json:"from"`    // memory or file
	Mapping string  `json:"mapping"` // warm, or fresh: mapped anew by every run
	Workers int     `json:"workers"`
	Loop    string  `json:"loop"`             // that was the best
	Rate    float64 `json:"bytes_per_second"` // read, or read and written
}

// Job is a summary of a file, count to standard deviation, computed in some way.
type Job struct {
	Name    string  `json:"name"`
	Workers int     `json:"workers"`
	Rate    float64 `json:"bytes_per_second"`
	Share   float64 `json:"share"` // of the ceiling for reading
}

// Kernel is a kernel on one core, over memory.
type Kernel struct {
	Name    string  `json:"kernel"`
	Rate    float64 `json:"bytes_per_second"` // of operands and result
	Share   float64 `json:"share"`
	Ceiling string  `json:"ceiling"` // read, for reductions, or copy
}

// Run measures. It takes little longer than it may, and ends early when ctx does.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &Report{Size: o.Size}
	begin := time.Now()
	f, err := newSource(o.Dir, o.Size)
	if err != nil {
		return nil, err
	}
	defer f.close()
	counts := workerCounts(o.Workers)
	const ways = 6                                         // of ceilings
	each := o.Time / time.Duration(2*(len(counts)*ways+3)) // and three jobs
	for _, n := range counts {
		if err := r.ceilings(ctx, f, n, each); err != nil {
			return nil, err
		}
	}
	if err := r.jobs(ctx, f, o.Workers, each); err != nil {
		return nil, err
	}
	return r, r.kernels(ctx, begin.Add(o.Time))
}

// workerCounts returns 1, 2, 4, ... and the most.
func workerCounts(most int) (counts []int) {
	for n := 1; n < most; n *= 2 {
		counts = append(counts, n)
	}
	return append(counts, most)
}

// Best returns a ceiling that was measured, or 0.
func (r *Report) Best(what, from, mapping string, workers int) float64 {
	for _, c := range r.Ceilings {
		if c.What == what && c.From == from && c.Mapping == mapping && c.Workers == workers {
			return c.Rate
		}
	}
	return 0
}

// best returns the least time that run takes within a budget. The first run, which
// finds nothing ready, counts only if the budget has no room for another.
func best(ctx context.Context, budget time.Duration, run func() error) (least time.Duration, err error) {
	for begin, n := time.Now(), 0; n == 0 || time.Since(begin) < budget; n++ {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		at := time.Now()
		if err := run(); err != nil {
			return 0, err
		}
		if took := max(time.Since(at), 1); n < 2 || took < least {
			least = took
		}
	}
	return least, nil
}

func rate(bytes int, took time.Duration) float64 { return float64(bytes) / took.Seconds() }
