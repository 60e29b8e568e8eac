package kernels

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/hashes.txt anew, from the portable tier")

const hashFile = "testdata/hashes.txt"

// onTiers runs a test on every tier that this machine offers.
func onTiers(t *testing.T, test func(t *testing.T)) {
	before := CurrentTier()
	defer UseTier(before)
	for tier := Scalar; tier <= BestTier(); tier++ {
		if raceDetector && tier != Scalar {
			break // it does not see into assembly, and would only take its time
		}
		if err := UseTier(tier); err != nil {
			t.Fatal(err)
		}
		t.Run(tier.String(), test)
	}
}

// three returns operands as Run takes them.
func three(operands [][]byte) (a, b, c []byte) {
	all := append(append([][]byte{}, operands...), nil, nil)
	return all[0], all[1], all[2]
}

// canary surrounds a buffer of n bytes, offset from any alignment, with bytes
// that must not change.
type canary struct {
	whole, part []byte
}

func newCanary(n, offset int) canary {
	whole := bytes.Repeat([]byte{0xa5}, 64+offset+n+64)
	return canary{whole, whole[64+offset : 64+offset+n]}
}

func (c canary) alive() bool {
	edge := bytes.Repeat([]byte{0xa5}, 64)
	return bytes.HasPrefix(c.whole, edge) && bytes.HasSuffix(c.whole, edge)
}

const corpusLen = 10000

// hashOf returns the hash of a kernel's results over the corpus: in one piece,
// and in pieces of every length from 0 to 300 and around the length of a block,
// at every alignment.
func hashOf(t *testing.T, k *Elementwise) uint64 {
	h := fnv.New64a()
	operands := corpus(k.In(), corpusLen)
	all := newCanary(corpusLen*k.Out().Size(), 0)
	a, b, c := three(operands)
	k.Run(all.part, a, b, c)
	h.Write(all.part)
	from := 0
	lengths := []int{BlockLen - 1, BlockLen, BlockLen + 1}
	for n := range 301 {
		lengths = append(lengths, n)
	}
	for at, n := range lengths {
		if from+n > corpusLen {
			from = at % 64
		}
		pieces := make([][]byte, len(operands))
		for i, typ := range k.In() {
			// The same elements at another alignment.
			whole := make([]byte, 64+n*typ.Size())
			pieces[i] = append(whole[:(at+i)%64], operands[i][from*typ.Size():(from+n)*typ.Size()]...)[(at+i)%64:]
		}
		dst := newCanary(n*k.Out().Size(), at%64)
		a, b, c := three(pieces)
		k.Run(dst.part, a, b, c)
		if want := all.part[from*k.Out().Size() : (from+n)*k.Out().Size()]; !bytes.Equal(dst.part, want) {
			t.Errorf("%v: elements %d to %d differ in a piece of their own", k, from, from+n)
		}
		if !dst.alive() {
			t.Errorf("%v: wrote beyond its %d elements", k, n)
		}
		from += n
	}
	return h.Sum64()
}

// hashes yields the name and the hash of every kernel, on the current tier.
func hashes(t *testing.T) iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for _, k := range ElementwiseKernels() {
			if !yield(k.String(), hashOf(t, k)) {
				return
			}
		}
		for _, name := range slices.Sorted(maps.Keys(reductions)) {
			for _, typ := range Types() {
				if !yield(fmt.Sprintf("%s of %v", name, typ), hashOfReduction(reductions[name], typ)) {
					return
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(pairReductions)) {
			for _, typ := range Types() {
				for _, other := range []Type{Float64, Float32} {
					if !yield(fmt.Sprintf("%s of %v and %v", name, typ, other), hashOfPairs(pairReductions[name], typ, other)) {
						return
					}
				}
			}
		}
	}
}

// knownHashes reads the hashes in the tree.
func knownHashes(t *testing.T) map[string]string {
	file, err := os.Open(hashFile)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	known := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if hash, kernel, ok := strings.Cut(lines.Text(), " "); ok {
			known[kernel] = hash
		}
	}
	return known
}

func TestEveryTierComputesTheSameBits(t *testing.T) {
	if *update {
		UseTier(Scalar)
		var out bytes.Buffer
		for name, hash := range hashes(t) {
			fmt.Fprintf(&out, "%016x %s\n", hash, name)
		}
		if err := os.WriteFile(hashFile, out.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	known := knownHashes(t)
	onTiers(t, func(t *testing.T) {
		seen := 0
		for name, hash := range hashes(t) {
			if got := fmt.Sprintf("%016x", hash); got != known[name] {
				t.Errorf("%s: hash %s, want %s", name, got, known[name])
			}
			seen++
		}
		if seen != len(known) {
			t.Errorf("%d kernels, %d hashes", seen, len(known))
		}
	})
}

// An operand of one element serves for all, and the result may replace an
// operand.
func TestOperandsMayBeSingleAndReplaced(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for _, k := range ElementwiseKernels() {
			for n := range 70 {
				operands := corpus(k.In(), 200)
				for i, typ := range k.In() {
					operands[i] = operands[i][100*typ.Size():]
					single, full := operands[i][:typ.Size()], bytes.Repeat(operands[i][:typ.Size()], n)
					want, got := make([]byte, n*k.Out().Size()), make([]byte, n*k.Out().Size())
					with := append([][]byte{}, operands...)
					with[i] = full
					a, b, c := three(with)
					k.Run(want, a, b, c)
					with[i] = single
					a, b, c = three(with)
					k.Run(got, a, b, c)
					if n != 1 && !bytes.Equal(got, want) {
						t.Errorf("%v: operand %d single, %d elements", k, i, n)
					}
					if typ.Size() != k.Out().Size() {
						continue
					}
					with[i] = append([]byte{}, operands[i]...)
					a, b, c = three(with)
					k.Run(want, a, b, c)
					k.Run(with[i][:len(want)], a, b, c)
					if !bytes.Equal(with[i][:len(want)], want) {
						t.Errorf("%v: result in operand %d, %d elements", k, i, n)
					}
				}
			}
		}
	})
}

func TestSingleOperandsAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector a sync.Pool forgets at random")
	}
	onTiers(t, func(t *testing.T) {
		for _, in := range [][]Type{{Float64}, {Int8, Int8}, {Bool, Float64, Float64}} {
			k, ok := LookupElementwise([]string{"sqrt", "add", "where"}[len(in)-1], in...)
			if !ok {
				t.Fatal("no such kernel")
			}
			operands := corpus(in, 1)
			a, b, c := three(operands)
			dst := make([]byte, 100*k.Out().Size())
			if n := testing.AllocsPerRun(100, func() { k.Run(dst, a, b, c) }); n != 0 {
				t.Errorf("%v of single elements allocates %v times", k, n)
			}
		}
	})
}
