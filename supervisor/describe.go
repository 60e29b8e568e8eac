package supervisor

import (
	"context"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
)

// Inquiry says what [Pool.Describe] is to find out beside what the first pass tells.
type Inquiry struct {
	Quantiles []float64 // from 0 to 1
	Method    kernels.Method
	Histogram bool
	Bins      kernels.Bins // of the histogram
	// SecondPass, if not nil, is called before the array is read again.
	SecondPass func()
}

// Description is what is known of an array.
type Description struct {
	kernels.Moments
	// What takes a second pass, and is there only if that was asked for.
	Counted         bool
	Negative, Zeros uint64          // elements below zero, and zeros of either sign
	Quantiles       []kernels.Value // in the order of the inquiry
	Histogram       *kernels.Histogram
	// NoHistogram tells why there is none.
	NoHistogram error
}

// Describe finds out what an inquiry asks of an array of one of the pool's open files:
// in one pass over it without quantiles and a histogram, else in two for most data. See
// [kernels.DescribeMoments], [kernels.Quantiles] and [kernels.Bins] for what comes out.
func (p *Pool) Describe(ctx context.Context, x *Array, q Inquiry) (*Description, error) {
	if err := p.readable(ctx, x); err != nil {
		return nil, err
	}
	return p.passes().describe(ctx, x, q)
}

func (p passes) describe(ctx context.Context, x *Array, q Inquiry) (*Description, error) {
	quartiles := q.Histogram && q.Bins.Quartiles()
	asked := slices.Clone(q.Quantiles)
	if quartiles {
		asked = append(asked, 0.25, 0.75)
	}
	search, err := kernels.NewQuantiles(x.ValueType(), uint64(x.Len()), asked...)
	if err != nil {
		return nil, err
	}
	d := &Description{Counted: len(asked) > 0 || q.Histogram}
	if x.Len() == 0 {
		d.Moments = kernels.DescribeMoments.NewMerger(x.ValueType()).(*kernels.TreeMerger[kernels.Moments]).Total()
		d.Quantiles = make([]kernels.Value, len(q.Quantiles))
		_, d.NoHistogram = q.Bins.Histogram(&d.Moments, 0)
		return d, nil
	}
	r := p.surveying(x)
	spec := &kernels.Survey{}
	if n := search.SampleSize(); n > 0 && len(asked) > 0 {
		spec = r.sampleOf(n)
	}
	spec.Moments = true
	s, _, err := p.survey(ctx, r, spec, 0)
	if err != nil {
		return nil, err
	}
	d.Moments, _ = s.merger.Root()
	search.Sampled(s.sample)
	if !d.Counted {
		return d, nil
	}
	if q.SecondPass != nil {
		q.SecondPass()
	}
	if q.Histogram && !quartiles {
		d.Histogram, d.NoHistogram = q.Bins.Histogram(&d.Moments, 0)
	}
	err = p.search(ctx, r, search, func(c *kernels.Cuts) {
		c.Signs()
		d.cut(x, c)
	}, func(a *kernels.Tally) {
		d.Negative, d.Zeros = a.Signs()
		d.learn(a)
	})
	if err != nil {
		return nil, err
	}
	d.Quantiles = search.Values(q.Method)[:len(q.Quantiles)]
	if !quartiles {
		return d, nil
	}
	// Only now is it known how many bins there are.
	rest := search.Values(kernels.Linear)[len(q.Quantiles):]
	if d.Histogram, d.NoHistogram = q.Bins.Histogram(&d.Moments, rest[1].Float64()-rest[0].Float64()); d.Histogram == nil {
		return d, nil
	}
	cuts := kernels.NewCuts(r.typ)
	d.cut(x, cuts)
	spec, _ = cuts.Survey(search.Sample())
	if s, _, err = p.survey(ctx, r, spec, 0); err != nil {
		return nil, err
	}
	d.learn(s.tally(make([][]uint64, len(spec.Keep))))
	return d, nil
}

func (d *Description) cut(x *Array, c *kernels.Cuts) {
	if d.Histogram != nil {
		d.Histogram.Cut(x.ValueType(), c)
	}
}

func (d *Description) learn(a *kernels.Tally) {
	if d.Histogram != nil {
		d.Histogram.Tally(a)
	}
}
