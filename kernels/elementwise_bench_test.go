package kernels

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/bench/ceiling"
)

// benchSizes are how many bytes operands and result have together.
var benchSizes = []struct {
	name  string
	bytes int
}{{"L1", 16 << 10}, {"L2", 512 << 10}, {"memory", 256 << 20}}

// clock returns the core's frequency while it works with a tier's vectors.
func clock(tier Tier) float64 {
	const steps = 1 << 17
	loop := ceiling.Loops()[tier]
	best := time.Hour
	for range 3 {
		begin := time.Now()
		loop.Chain(steps)
		best = min(best, time.Since(begin))
	}
	return steps * ceiling.StepCycles / best.Seconds()
}

var sink uint64

// timed returns the least time that f takes, once warm.
func timed(f func()) time.Duration {
	best := time.Hour
	for begin, n := time.Now(), 0; n < 5 || time.Since(begin) < 10*time.Millisecond; n++ {
		t := time.Now()
		f()
		best = min(best, time.Since(t))
	}
	return best
}

// filled returns bytes that hold that many ordinary elements of a type, the
// same each time for the same type, place and number.
var filled = func() func(t Type, place, n int) []byte {
	type key struct {
		t     Type
		place int
		n     int
	}
	kept := map[key][]byte{}
	return func(t Type, place, n int) []byte {
		k := key{t, place, n}
		if kept[k] == nil {
			data := make([]byte, n*t.Size())
			const period = 1 << 12
			for e := range min(n, period) {
				put(data, t, e, ordinary(t, e))
			}
			for done := period * t.Size(); done < len(data); done *= 2 {
				copy(data[done:], data[:done])
			}
			kept[k] = data
		}
		return kept[k]
	}
}()

// ceilings returns the best bandwidth of a pure load and of a pure copy that
// touch that many bytes, in bytes per second.
func ceilings(size int) (load, copy float64) {
	src, dst := make([]byte, size), make([]byte, size/2)
	for i := range src {
		src[i] = byte(i)
	}
	// Short runs several times over, so that the clock of the system is fine
	// enough.
	times := max(1, (1<<20)/size)
	for _, l := range ceiling.Loops() {
		t := timed(func() {
			for range times {
				sink += l.Load(src)
			}
		})
		load = max(load, float64(times*size)/t.Seconds())
		t = timed(func() {
			for range times {
				l.Copy(dst, src[:size/2])
			}
		})
		copy = max(copy, float64(times*size)/t.Seconds())
	}
	return load, copy
}

// BenchmarkElementwise states for every kernel, tier and size: bytes per second
// of operands and result, their share of what a pure copy of as many bytes does,
// cycles per element, and the least that the kernel's instructions take on a
// Golden Cove core.
func BenchmarkElementwise(b *testing.B) {
	before := CurrentTier()
	defer UseTier(before)
	for _, size := range benchSizes {
		_, most := ceilings(size.bytes)
		for _, k := range ElementwiseKernels() {
			width := k.Out().Size()
			for _, t := range k.In() {
				width += t.Size()
			}
			n := size.bytes / width
			for tier := Scalar; tier <= BestTier(); tier++ {
				b.Run(fmt.Sprintf("%s/%v/%s", strings.ReplaceAll(k.String(), " ", ""), tier, size.name), func(b *testing.B) {
					UseTier(tier)
					operands := make([][]byte, len(k.In()))
					for i, t := range k.In() {
						operands[i] = filled(t, 1+i, n)
					}
					dst := filled(k.Out(), 0, n)
					x, y, z := three(operands)
					k.Run(dst, x, y, z)
					b.SetBytes(int64(n * width))
					for b.Loop() {
						k.Run(dst, x, y, z)
					}
					report(b, n*width, n, most)
					if bounds, ok := issueBounds[k.String()]; ok && tier > Scalar {
						b.ReportMetric(bounds[tier-AVX2], "bound-cycles/elem")
					}
				})
			}
		}
	}
}

// report adds the share of the ceiling and cycles per element.
func report(b *testing.B, bytes, elements int, most float64) {
	each := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(100*float64(bytes)/each/most, "%ceiling")
	b.ReportMetric(each*clock(CurrentTier())/float64(elements), "cycles/elem")
}

// BenchmarkReduction states the same for reductions; their ceiling is a pure
// load.
func BenchmarkReduction(b *testing.B) {
	before := CurrentTier()
	defer UseTier(before)
	for _, size := range benchSizes {
		most, _ := ceilings(size.bytes)
		for _, name := range slices.Sorted(maps.Keys(reductions)) {
			for _, t := range Types() {
				n := size.bytes / t.Size()
				for tier := Scalar; tier <= BestTier(); tier++ {
					b.Run(fmt.Sprintf("%s(%v)/%v/%s", name, t, tier, size.name), func(b *testing.B) {
						UseTier(tier)
						data := filled(t, 1, n)
						folder := reductions[name].NewFolder(t)
						partial := make([]byte, reductions[name].PartialSize())
						b.SetBytes(int64(len(data)))
						for b.Loop() {
							folder.Reset()
							for rest := data; len(rest) > 0; {
								part := min(BlockLen*t.Size(), len(rest))
								folder.Blocks(rest[:part])
								rest = rest[part:]
							}
							folder.Partial(partial)
						}
						report(b, len(data), n, most)
					})
				}
			}
		}
	}
}

// BenchmarkPairReduction states the same for reductions of pairs of one type.
func BenchmarkPairReduction(b *testing.B) {
	before := CurrentTier()
	defer UseTier(before)
	for _, size := range benchSizes {
		most, _ := ceilings(size.bytes)
		for _, name := range slices.Sorted(maps.Keys(pairReductions)) {
			for _, t := range Types() {
				n := size.bytes / 2 / t.Size()
				for tier := Scalar; tier <= BestTier(); tier++ {
					b.Run(fmt.Sprintf("%s(%v)/%v/%s", name, t, tier, size.name), func(b *testing.B) {
						UseTier(tier)
						xs, ys := filled(t, 1, n), filled(t, 2, n)
						folder := pairReductions[name].NewFolder(t, t)
						partial := make([]byte, pairReductions[name].PartialSize())
						b.SetBytes(int64(len(xs) + len(ys)))
						for b.Loop() {
							folder.Reset()
							for at := 0; at < len(xs); at += BlockLen * t.Size() {
								end := min(at+BlockLen*t.Size(), len(xs))
								folder.Block(xs[at:end], ys[at:end])
							}
							folder.Partial(partial)
						}
						report(b, len(xs)+len(ys), n, most)
					})
				}
			}
		}
	}
}
