package kernels

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"sync"
)

// Method says what a quantile between two elements is, as NumPy's of that name.
type Method uint8

// The methods. The quantile q of n elements lies at the place q*(n-1) of them in
// order, with q in decimal: 0.1 is one tenth.
const (
	Linear   Method = iota // in proportion, computed exactly and rounded once
	Lower                  // the element before
	Higher                 // the element after
	Nearest                // the nearest, half-way that of the even place
	Midpoint               // half-way, rounded once
)

var methods = [...]string{"linear", "lower", "higher", "nearest", "midpoint"}

// String returns NumPy's name of the method.
func (m Method) String() string {
	if int(m) < len(methods) {
		return methods[m]
	}
	return fmt.Sprintf("Method(%d)", uint8(m))
}

// ParseMethod reads the name of a method.
func ParseMethod(s string) (Method, error) {
	if i := slices.Index(methods[:], s); i >= 0 {
		return Method(i), nil
	}
	return 0, fmt.Errorf("unknown quantile method %q: use one of %v", s, methods)
}

// Quantiles finds exact quantiles of an array by surveys of it, without sorting or
// copying it: a sample tells between what elements each quantile should lie, a
// survey counts what is below and keeps what is between, and where the sample has
// misled, the next one narrows that down. NaN are left out.
//
// After Floyd and Rivest (1975).
type Quantiles struct {
	typ      Type
	elements uint64
	probs    []*big.Rat
	sample   []uint64 // sorted, without NaN
	tally    *Tally
	found    map[uint64]uint64 // keys by rank among all elements
	missing  []uint64          // ranks, in order
	narrowed int               // how often
}

const (
	// surveyAll is up to how many elements are kept without further ado.
	surveyAll = 1 << 16
	// keptPart and keptLeast bound what a survey keeps: a part of the elements, or a
	// number of them.
	keptPart  = 16
	keptLeast = 1 << 20
	// deviations is how far the bracket around a quantile of the sample reaches, in
	// standard deviations: one in a thousand misses its quantile.
	deviations = 3.5
	// fineCuts is how many cuts narrow down what is too much to keep.
	fineCuts = 2048
)

// MaxQuantiles is how many quantiles one search finds.
const MaxQuantiles = fineCuts / 8

// NewQuantiles returns a search for the quantiles qs, each from 0 to 1, of an array of
// so many elements.
func NewQuantiles(t Type, elements uint64, qs ...float64) (*Quantiles, error) {
	s := &Quantiles{typ: t, elements: elements, found: map[uint64]uint64{}}
	if len(qs) > MaxQuantiles {
		return nil, fmt.Errorf("%d quantiles at once: ask for up to %d", len(qs), MaxQuantiles)
	}
	for _, q := range qs {
		if !(q >= 0 && q <= 1) {
			return nil, fmt.Errorf("there is no quantile %v: give numbers from 0 to 1", q)
		}
		// In decimal, as it is written.
		p, _ := new(big.Rat).SetString(strconv.FormatFloat(q, 'g', -1, 64))
		s.probs = append(s.probs, p)
	}
	return s, nil
}

// SampleSize returns how many elements a sample should have, 0 if none is needed.
func (s *Quantiles) SampleSize() int {
	if s.elements <= surveyAll || s.typ.Size() == 1 {
		return 0
	}
	return int(min(max(s.elements/32, 4096), 1<<18))
}

// Sampled takes in a sample, in any order. It sorts it.
func (s *Quantiles) Sampled(keys []uint64) {
	s.sample = keys
	if s.typ.IsFloat() {
		s.sample = slices.DeleteFunc(keys, func(key uint64) bool { return key < keyOfNegInf || key > keyOfPosInf })
	}
	sortKeys(s.sample)
}

// Sample returns the sample, sorted, without NaN.
func (s *Quantiles) Sample() []uint64 { return s.sample }

// Cut adds what the next survey should tell, and returns for how many keys it should
// have room. What others ask for in the first one is in c already.
func (s *Quantiles) Cut(c *Cuts) (room uint64) {
	limit := max(keptLeast, s.elements/keptPart)
	lo, hi := keyRange(s.typ)
	switch {
	case len(s.probs) == 0:
		return 0
	case s.tally != nil:
		return s.narrow(c, limit)
	case s.typ.Size() == 1:
		for key := lo; key <= hi; key++ {
			c.alone(key)
		}
		return 0
	case s.elements <= surveyAll:
		c.keepAll()
		return s.elements
	}
	cuts := min(fineCuts, MaxCuts-len(c.keys)-2)
	room, ok := s.bracket(c, limit, cuts)
	if !ok {
		s.spread(c, lo, hi, cuts)
	}
	return room
}

// bracket keeps what should hold each quantile, unless that is too much, or takes more
// cuts than there may be.
func (s *Quantiles) bracket(c *Cuts, limit uint64, most int) (room uint64, ok bool) {
	brackets := NewCuts(s.typ)
	lo, hi := keyRange(s.typ)
	m := float64(len(s.sample))
	for _, p := range s.probs {
		q, _ := p.Float64()
		// Conversions round, so that no compiler fuses a product and a sum: shards on
		// machines of several kinds look for the same.
		reach := float64(deviations*math.Sqrt(m*q*(1-q))) + 2
		place := float64(q * (m - 1))
		from, to := lo, hi
		if at := math.Floor(place - reach); at >= 0 {
			from = s.sample[int(at)]
		}
		if at := math.Ceil(place + reach); at < m {
			to = s.sample[int(at)]
		}
		brackets.alone(from)
		if from < to {
			brackets.alone(to)
			brackets.keepBetween(from+1, to)
			s.setApart(brackets, from, to)
		}
	}
	survey, kept := brackets.Survey(s.sample)
	expected := (float64(kept) + float64(4*math.Sqrt(float64(kept))) + 16) / m * float64(s.elements)
	if m == 0 || expected > float64(limit) || len(survey.Cuts) > most {
		return 0, false
	}
	c.at(brackets.keys...)
	c.keep = append(c.keep, brackets.keep...)
	return uint64(expected), true
}

// setApart sets elements apart that fill a good part of what lies between two keys.
func (s *Quantiles) setApart(c *Cuts, from, to uint64) {
	if to-from <= 32 {
		for key := from; key < to; key++ {
			c.alone(key)
		}
		return
	}
	many := max(16, len(s.sample)/1024)
	for i, _ := slices.BinarySearch(s.sample, from+1); i+many <= len(s.sample) && s.sample[i] < to; i++ {
		if key := s.sample[i]; key == s.sample[i+many-1] {
			c.alone(key)
			i, _ = slices.BinarySearch(s.sample, key+1)
			i--
		}
	}
}

// spread cuts between two keys, both included, at up to two more places than cuts: half
// of the cuts where the sample has its elements, half evenly.
func (s *Quantiles) spread(c *Cuts, first, last uint64, cuts int) {
	from, _ := slices.BinarySearch(s.sample, first)
	to, found := slices.BinarySearch(s.sample, last)
	if found {
		to++
	}
	n := min(cuts/4, to-from)
	for i := range n {
		c.alone(s.sample[from+i*(to-from)/n])
	}
	c.at(first, last+1)
	step := (last-first)/uint64(cuts/2) + 1
	for i := range uint64(cuts / 2) {
		if at := first + i*step; at >= first && at <= last {
			c.at(at)
		}
	}
}

// narrow keeps the intervals of the quantiles that are not found, or narrows them
// down.
func (s *Quantiles) narrow(c *Cuts, limit uint64) (room uint64) {
	type interval struct{ first, last, elements uint64 }
	var all []interval
	known := -1
	for _, rank := range s.missing {
		i, first, last := s.tally.interval(rank)
		if i != known {
			_, n := s.tally.before(i)
			all = append(all, interval{first, last, n})
		}
		known = i
	}
	for _, in := range all {
		keep := in.elements <= limit/uint64(len(all))
		if keep {
			c.keepBetween(in.first, in.last)
			c.alone(in.last)
			c.at(in.first)
			room += in.elements
		}
		// What should have been kept, and was not, may find no room again.
		if !keep || s.narrowed > 0 {
			s.spread(c, in.first, in.last, max(8, fineCuts/len(all)))
		}
	}
	s.narrowed++
	return room + room/4 // some is lost where workers die
}

// Learn takes in what a survey found, and reports whether that was all that is
// needed.
func (s *Quantiles) Learn(a *Tally) bool {
	if s.tally == nil {
		before, n := a.numbers()
		for _, p := range s.probs {
			if n > 0 {
				i, _ := s.place(p, n)
				s.missing = append(s.missing, before+i, before+min(i+1, n-1))
			}
		}
		slices.Sort(s.missing)
		s.missing = slices.Compact(s.missing)
	}
	s.tally = a
	var wait sync.WaitGroup
	for from := 0; from < len(s.missing); {
		i, first, last := a.interval(s.missing[from])
		before, in := a.before(i)
		to := from
		for to < len(s.missing) && s.missing[to] < before+in {
			to++
		}
		ranks := s.missing[from:to]
		from = to
		switch {
		case first == last:
			for _, rank := range ranks {
				s.found[rank] = first
			}
		case a.kept[i] != nil:
			// One goroutine for each: workers have nothing to do meanwhile.
			wait.Go(func() { selectRanks(a.kept[i], 0, ranks, before) })
		}
	}
	wait.Wait()
	s.missing = slices.DeleteFunc(s.missing, func(rank uint64) bool {
		i, _, _ := a.interval(rank)
		if before, _ := a.before(i); a.kept[i] != nil {
			s.found[rank] = a.kept[i][rank-before]
		}
		_, ok := s.found[rank]
		return ok
	})
	return len(s.missing) == 0
}

// place returns the place of a quantile among n elements: the whole part, and the
// rest.
func (s *Quantiles) place(p *big.Rat, n uint64) (uint64, *big.Rat) {
	at := new(big.Rat).SetInt(new(big.Int).SetUint64(n - 1))
	at.Mul(at, p)
	whole := new(big.Int).Quo(at.Num(), at.Denom())
	return whole.Uint64(), at.Sub(at, new(big.Rat).SetInt(whole))
}

// Values returns the quantiles by a method, once they are found, in the order in which they were
// asked for; of no numbers, none exists. Those of integers are integers where they
// are whole numbers.
func (s *Quantiles) Values(m Method) []Value {
	values := make([]Value, len(s.probs))
	if s.tally == nil {
		return values // of no elements
	}
	before, n := s.tally.numbers()
	for k, p := range s.probs {
		if n == 0 {
			continue
		}
		i, rest := s.place(p, n)
		a, b := s.found[before+i], s.found[before+min(i+1, n-1)]
		half := big.NewRat(1, 2)
		switch cmp := rest.Cmp(half); {
		case m == Midpoint && rest.Sign() != 0:
			rest = half
		case m == Higher && rest.Sign() != 0,
			m == Nearest && (cmp > 0 || cmp == 0 && i%2 == 1):
			a, rest = b, new(big.Rat)
		case m == Higher, m == Nearest, m == Lower:
			rest = new(big.Rat)
		}
		values[k] = between(s.typ, a, b, rest)
	}
	return values
}

// NaN returns how many elements are NaN, once the quantiles are found.
func (s *Quantiles) NaN() uint64 {
	if s.tally == nil {
		return 0 // of no elements
	}
	_, n := s.tally.numbers()
	return s.elements - n
}

// between returns what lies a part of the way from one element to another.
func between(t Type, a, b uint64, part *big.Rat) Value {
	if part.Sign() == 0 || a == b {
		return keyValue(t, a)
	}
	if t.IsFloat() {
		switch x, y := keyFloat(t, a), keyFloat(t, b); {
		case math.IsInf(x, 0) && math.IsInf(y, 0):
			return floatValue(math.NaN())
		case math.IsInf(x, 0):
			return floatValue(x)
		case math.IsInf(y, 0):
			return floatValue(y)
		}
	}
	x, y := keyRat(t, a), keyRat(t, b)
	y.Sub(y, x).Mul(y, part).Add(y, x)
	if y.IsInt() && !t.IsFloat() {
		i := new(big.Int).Abs(y.Num())
		v := int128{0, i.Uint64()}
		if y.Sign() < 0 {
			v = int128{-1, -v.lo}
		}
		return intValue(v)
	}
	f, _ := y.Float64()
	return floatValue(f)
}

// keyRat returns the number that a key stands for.
func keyRat(t Type, key uint64) *big.Rat {
	if t.IsFloat() {
		return new(big.Rat).SetFloat64(keyFloat(t, key))
	}
	return new(big.Rat).SetInt(keyValue(t, key).Big())
}
