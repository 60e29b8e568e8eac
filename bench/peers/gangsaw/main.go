// Command gangsaw, among the peers, is a program that embeds a pool and does the
// jobs of one of them, warm: see README.md beside it for how it is spoken to.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/npy"
	"github.com/gangsaw/gangsaw/supervisor"
)

func main() {
	supervisor.Main()
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("give the directory of x.npy")
	}
	if err := serve(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// peer has the pool and the file that is asked about.
type peer struct {
	pool     *supervisor.Pool
	x        *supervisor.Array
	out, own string
}

// values are what came out, by name.
type values map[string]any

// serve answers each line by a line until there are no more.
func serve(ctx context.Context, dir string) error {
	pool, err := supervisor.Start(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	f, err := pool.File(filepath.Join(dir, "x.npy"))
	if err != nil {
		return err
	}
	defer f.Close()
	p := &peer{pool, f.Arrays()[0], filepath.Join(dir, "clip.gangsaw.npy"), filepath.Join(dir, "own.gangsaw.npy")}
	jobs := map[string]func(context.Context) (values, error){
		"sum": p.sum, "meanstd": p.meanstd, "stat": p.stat, "log1p": p.log1p, "clip": p.clip, "standardise": p.standardise,
		"check clip":        func(context.Context) (values, error) { return check(p.out) },
		"check standardise": func(context.Context) (values, error) { return check(p.own) },
	}
	if _, err := p.sum(ctx); err != nil { // pages are there from here on
		return err
	}
	replies := json.NewEncoder(os.Stdout)
	replies.Encode(values{"version": pool.ISA()})
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		job, ok := jobs[lines.Text()]
		if !ok {
			return fmt.Errorf("no job %q", lines.Text())
		}
		begin := time.Now()
		found, err := job(ctx)
		if err != nil {
			return err
		}
		replies.Encode(values{"seconds": time.Since(begin).Seconds(), "values": found})
	}
	return nil
}

// eval computes scalars.
func (p *peer) eval(ctx context.Context, text string, names ...string) (values, error) {
	found, err := p.pool.Eval(ctx, text, p.x)
	if err != nil {
		return nil, err
	}
	all := values{}
	for i, name := range names {
		all[name] = found[i].Float64()
	}
	return all, nil
}

func (p *peer) sum(ctx context.Context) (values, error) { return p.eval(ctx, "sum(x)", "sum") }

func (p *peer) meanstd(ctx context.Context) (values, error) {
	return p.eval(ctx, "mean(x), std(x)", "mean", "std")
}

func (p *peer) log1p(ctx context.Context) (values, error) {
	return p.eval(ctx, "sum(log1p(abs(x)))", "sum")
}

func (p *peer) stat(ctx context.Context) (values, error) {
	bins, err := kernels.ParseBins("256")
	if err != nil {
		return nil, err
	}
	s, err := p.pool.Describe(ctx, p.x, supervisor.Inquiry{Quantiles: []float64{0.25, 0.5, 0.75}, Histogram: true, Bins: bins})
	if err != nil {
		return nil, err
	}
	quartiles := make([]float64, len(s.Quantiles))
	for i, q := range s.Quantiles {
		quartiles[i] = q.Float64()
	}
	return values{"quartiles": quartiles, "histogram": s.Histogram.Counts(), "count": s.Count(), "nan": s.NaN(), "min": s.Min().Float64(), "max": s.Max().Float64(),
		"sum": s.Sum().Float64(), "mean": s.Mean().Float64(), "std": s.Std(0).Float64()}, nil
}

func (p *peer) clip(ctx context.Context) (values, error) {
	q := supervisor.Query{Text: "clip((x - 10) / 3, -3, 3)", Arrays: []*supervisor.Array{p.x}}
	_, _, err := p.pool.EvalTo(ctx, q, p.out, true)
	return nil, err
}

func (p *peer) standardise(ctx context.Context) (values, error) {
	f, err := p.pool.File(p.own)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	x := f.Arrays()[0]
	_, err = p.pool.EvalInPlace(ctx, supervisor.Query{Text: "(x - mean(x)) / std(x)", Arrays: []*supervisor.Array{x}}, x)
	return nil, err
}

// check looks at a file that a job wrote, by a plain loop.
func check(path string) (values, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	arrays, err := npy.Parse(f, info.Size())
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(arrays[0].Offset, 0); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(f, 1<<20)
	lo, hi, sum, n := math.Inf(1), math.Inf(-1), 0.0, arrays[0].Size()/8
	var first, last []float64
	for i := range n {
		b, err := r.Peek(8)
		if err != nil {
			return nil, err
		}
		v := math.Float64frombits(binary.LittleEndian.Uint64(b))
		r.Discard(8)
		lo, hi, sum = min(lo, v), max(hi, v), sum+v
		if i < 3 {
			first = append(first, v)
		}
		if i >= n-3 {
			last = append(last, v)
		}
	}
	return values{"min": lo, "max": hi, "mean": sum / float64(n), "first": first, "last": last}, nil
}
