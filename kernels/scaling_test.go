package kernels

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// wordOf are the types whose elements are the bits of others of their size.
var wordOf = map[int]Type{1: Uint8, 2: Uint16, 4: Uint32, 8: Uint64}

// storedBlock returns random elements, as bytes.
func storedBlock(r *rand.Rand, typ Type, n int) []byte {
	var b []byte
	for range n {
		bits := r.Uint64()
		if typ.IsFloat() {
			bits = typ.FloatBits(r.NormFloat64() * 100)
		}
		one := bytesView([]uint64{bits})
		if bytesView([]uint16{1})[0] == 0 {
			one = one[8-typ.Size():]
		}
		b = append(b, one[:typ.Size()]...)
	}
	return b
}

// stand returns what element i stands for by definition.
func stand(s Scaling, block []byte, i int) float64 {
	switch {
	case s.Stored.IsFloat():
		return float64(s.Factor*floatElement(block, s.Stored, i)) + s.Offset
	case s.Stored.IsSigned():
		return float64(s.Factor*float64(int64(integerElement(block, s.Stored, i)))) + s.Offset
	}
	return float64(s.Factor*float64(integerElement(block, s.Stored, i))) + s.Offset
}

func TestScaledElementsAreRoundedTwiceOnEveryTier(t *testing.T) {
	before := CurrentTier()
	defer UseTier(before)
	r := rand.New(rand.NewPCG(8, 9))
	for _, typ := range Types() {
		if typ == Bool {
			continue
		}
		const n = 777
		block := storedBlock(r, typ, n)
		s := Scaling{Stored: typ, Type: Float64, Factor: 0.1, Offset: 100.3}
		s.Missing = []uint64{integerElement(block, wordOf[typ.Size()], 5)}
		var want []byte
		for tier := Scalar; tier <= BestTier(); tier++ {
			if err := UseTier(tier); err != nil {
				t.Fatal(err)
			}
			l, err := NewScaler(s)
			if err != nil {
				t.Fatal(err)
			}
			dst := make([]byte, 8*n)
			l.Load(dst, bytes.Clone(block))
			if want == nil {
				want = dst
			}
			if !bytes.Equal(dst, want) {
				t.Errorf("%v: %v has other bits", typ, tier)
			}
			for i, got := range view[float64](dst) {
				missing := bytes.Equal(block[i*typ.Size():][:typ.Size()], block[5*typ.Size():][:typ.Size()])
				if f := stand(s, block, i); missing != math.IsNaN(got) || !missing && got != f {
					t.Errorf("%v: %v: element %d is %v, want %v", typ, tier, i, got, f)
				}
			}
		}
	}
}

func TestFlippedElementsAreExactAndStoredBack(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 11))
	for typ, other := range flipped {
		block := storedBlock(r, typ, 100)
		l, err := NewScaler(Scaling{Stored: typ, Type: other, Factor: 1, Flip: true})
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, len(block))
		l.Load(dst, bytes.Clone(block))
		half := uint64(1) << (8*typ.Size() - 1)
		for i := range 100 {
			same := wordOf[typ.Size()]
			if got, was := integerElement(dst, same, i), integerElement(block, same, i); got != was^half {
				t.Errorf("%v: %d stands for %d", typ, was, got)
			}
		}
		if l.Store(dst); !bytes.Equal(dst, block) {
			t.Errorf("%v is not stored back as it was", typ)
		}
	}
}

func TestAspectsOfElements(t *testing.T) {
	block := bytesView([]int64{-1 << 63, 5, 1<<53 + 1, 1 << 53, -1<<53 - 1, 7})
	for _, c := range []struct {
		flip   bool
		aspect Aspect
		want   string
	}{
		{false, IsMissing, "\x01\x00\x00\x00\x00\x01"},
		{false, IsRounded, "\x00\x00\x01\x00\x01\x00"},
		{true, IsMissing, "\x01\x00\x00\x00\x00\x01"},
		{true, IsRounded, "\x00\x01\x01\x01\x01\x00"}, // all but 0 are above half the range
	} {
		l, err := NewScaler(Scaling{Stored: Int64, Type: Bool, Factor: 1, Flip: c.flip, Missing: []uint64{1 << 63, 7}, Aspect: c.aspect})
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, 6)
		if l.Load(dst, bytes.Clone(block)); string(dst) != c.want {
			t.Errorf("aspect %d, flipped %v: %q, want %q", c.aspect, c.flip, dst, c.want)
		}
	}
}

func TestScalingThatCannotBeIsRefused(t *testing.T) {
	for _, s := range []Scaling{
		{Type: Float64, Factor: 1},
		{Stored: Bool, Type: Float64, Factor: 1},
		{Stored: Int16, Type: Int16, Factor: 2},
		{Stored: Int16, Type: Float32, Factor: 1},
		{Stored: Int16, Type: Float64, Factor: math.Inf(1)},
		{Stored: Int16, Type: Float64, Factor: 1, Offset: math.NaN()},
		{Stored: Float32, Type: Float32, Factor: 1, Flip: true},
		{Stored: Int16, Type: Int16, Factor: 1, Flip: true},
		{Stored: Int16, Type: Float64, Factor: 2, Flip: true},
		{Stored: Int16, Type: Int16, Factor: 1, Aspect: IsMissing},
		{Stored: Int16, Type: Bool, Factor: 1, Aspect: numAspects},
	} {
		if _, err := NewScaler(s); err == nil {
			t.Errorf("%+v", s)
		}
	}
}
