package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/gangsaw/gangsaw/kernels"
)

const (
	blockLen = 1 << 13
	// chunkBlocks are done on one tier before the next takes its turn: the
	// tier is the whole process's.
	chunkBlocks = 1 << 9
)

// sweep measures one kernel.
type sweep struct {
	kernel *kernels.Elementwise
	fn     reference
	f      format
	draw   draw
	points int
	// step visits every step-th float32 instead of drawn points; 0: draws.
	step int
}

// outcome is what a sweep finds.
type outcome struct {
	worst
	// tiers says where the tiers differ, if they do.
	tiers string
}

// blockOf is one block of a chunk: operands and each tier's results.
type blockOf[T kernels.Float] struct {
	n        int
	operands [][]T
	results  [][]T
}

func bytesOf[T kernels.Float](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

// run measures the sweep's points.
func (s *sweep) run() outcome {
	if s.f == binary32 {
		return runAs[float32](s)
	}
	return runAs[float64](s)
}

func runAs[T kernels.Float](s *sweep) outcome {
	defer kernels.UseTier(kernels.CurrentTier())
	tiers := int(kernels.BestTier()) + 1
	blocks := make([]blockOf[T], min(chunkBlocks, (s.points+blockLen-1)/blockLen))
	for i := range blocks {
		for range len(s.kernel.In()) {
			blocks[i].operands = append(blocks[i].operands, make([]T, blockLen))
		}
		for range tiers {
			blocks[i].results = append(blocks[i].results, make([]T, blockLen))
		}
	}
	judges := make([]judging[T], runtime.GOMAXPROCS(0))
	for i := range judges {
		judges[i] = judging[T]{judge: judge{fn: s.fn, f: s.f}}
	}
	var found outcome
	var lock sync.Mutex
	for from := 0; from < s.points; from += chunkBlocks * blockLen {
		chunk := blocks[:min(len(blocks), (s.points-from+blockLen-1)/blockLen)]
		parallel(len(chunk), func(_, i int) { fill(s, &chunk[i], from+i*blockLen) })
		for tier := range tiers {
			if err := kernels.UseTier(kernels.Tier(tier)); err != nil {
				panic(err)
			}
			parallel(len(chunk), func(_, i int) { compute(s.kernel, &chunk[i], tier) })
		}
		parallel(len(chunk), func(worker, i int) {
			lock.Lock()
			mine := found
			lock.Unlock()
			judges[worker].measure(s, &chunk[i], &mine)
			lock.Lock()
			defer lock.Unlock()
			found.merge(mine.worst)
			if found.tiers == "" {
				found.tiers = mine.tiers
			}
		})
	}
	if found.operands != nil {
		// Exactly, where glibc's double was good enough for the search.
		found.error = judges[0].at(found.got, found.operands...)
	}
	return found
}

// fill draws the operands of the block of points that begins with from.
func fill[T kernels.Float](s *sweep, b *blockOf[T], from int) {
	b.n = min(blockLen, s.points-from)
	if s.step > 0 {
		for i := range b.n {
			b.operands[0][i] = T(math.Float32frombits(uint32((from + i) * s.step)))
		}
		return
	}
	var seed uint64
	for _, c := range s.kernel.Name() {
		seed = seed*131 + uint64(c)
	}
	r := rand.New(rand.NewPCG(seed, uint64(from)))
	var x [3]float64
	for i := range b.n {
		s.draw(r, s.f, &x)
		for o := range b.operands {
			b.operands[o][i] = T(x[o])
		}
	}
}

// compute runs the kernel on the current tier.
func compute[T kernels.Float](k *kernels.Elementwise, b *blockOf[T], tier int) {
	var in [3][]byte
	for o := range b.operands {
		in[o] = bytesOf(b.operands[o][:b.n])
	}
	k.Run(bytesOf(b.results[tier][:b.n]), in[0], in[1], in[2])
}

// judging is a judge and its buffers.
type judging[T kernels.Float] struct {
	judge
	got      []float64
	operands [3][]float64
}

// measure judges a block's results and compares those of the tiers.
func (j *judging[T]) measure(s *sweep, b *blockOf[T], found *outcome) {
	best := len(b.results) - 1
	got := b.results[best][:b.n]
	for tier, result := range b.results[:best] {
		if result := result[:b.n]; !bytes.Equal(bytesOf(result), bytesOf(got)) && found.tiers == "" {
			found.tiers = difference(b, kernels.Tier(tier), kernels.Tier(best))
		}
	}
	if s.step > 0 {
		g, x := any(got).([]float32), any(b.operands[0][:b.n]).([]float32)
		j.byLibm(g, x, &found.worst)
		return
	}
	j.got = widened(j.got, got)
	for o := range b.operands {
		j.operands[o] = widened(j.operands[o], b.operands[o][:b.n])
	}
	j.byMPFR(j.got, j.operands[:len(b.operands)], &found.worst)
}

func widened[T kernels.Float](to []float64, from []T) []float64 {
	to = resize(to, len(from))
	for i, x := range from {
		to[i] = float64(x)
	}
	return to
}

// difference describes the first point at which two tiers differ.
func difference[T kernels.Float](b *blockOf[T], x, y kernels.Tier) string {
	for i := range b.n {
		p, q := b.results[x][i:i+1], b.results[y][i:i+1]
		if bytes.Equal(bytesOf(p), bytesOf(q)) {
			continue
		}
		at := make([]float64, len(b.operands))
		for o := range at {
			at[o] = float64(b.operands[o][i])
		}
		return fmt.Sprintf("%v %x, %v %x (%v, %v) at %s", x, bytesOf(p), y, bytesOf(q), p[0], q[0], arguments(at))
	}
	return ""
}

// parallel does the items 0 to n-1 on all processors. Workers are numbered
// from 0 to GOMAXPROCS-1.
func parallel(n int, do func(worker, item int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for worker := range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(worker, i)
			}
		})
	}
	group.Wait()
}
