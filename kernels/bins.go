package kernels

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Bins says how many bins a histogram has: a number, or one of NumPy's rules.
type Bins struct {
	rule   string
	number int
}

// MaxBins is the most bins of a histogram by a [Survey].
const MaxBins = 4096

// binRules are NumPy's, by name. Each returns the width of bins, 0 if it has none to
// offer. Sturges (1926), Scott (1979), Freedman and Diaconis (1981), Doane (1976).
var binRules = map[string]func(m *Moments, span, iqr float64) float64{
	"sqrt":    func(m *Moments, span, _ float64) float64 { return span / math.Sqrt(float64(m.numbers())) },
	"sturges": sturges,
	"rice": func(m *Moments, span, _ float64) float64 {
		return span / (2 * everywhere("power", float64(m.numbers()), 1.0/3))
	},
	"scott": func(m *Moments, _, _ float64) float64 {
		return everywhere("power", 24*math.Sqrt(math.Pi)/float64(m.numbers()), 1.0/3) * m.Std(0).Float64()
	},
	"doane": func(m *Moments, span, _ float64) float64 {
		n, g := float64(m.numbers()), m.Skewness().Float64()
		if n <= 2 || !(m.Std(0).Float64() > 0) {
			return 0
		}
		error := math.Sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
		return span / (1 + everywhere("log2", n) + everywhere("log2", 1+math.Abs(g)/error))
	},
	"fd": freedmanDiaconis,
	"auto": func(m *Moments, span, iqr float64) float64 {
		if fd := freedmanDiaconis(m, span, iqr); fd > 0 {
			return min(fd, sturges(m, span, iqr))
		}
		return sturges(m, span, iqr)
	},
}

func sturges(m *Moments, span, _ float64) float64 {
	return span / (everywhere("log2", float64(m.numbers())) + 1)
}

func freedmanDiaconis(m *Moments, _, iqr float64) float64 {
	return 2 * iqr * everywhere("power", float64(m.numbers()), -1.0/3)
}

// everywhere computes a function by its kernel, which has the same bits on every
// machine.
func everywhere(name string, xs ...float64) float64 {
	var in [3][]byte
	types := make([]Type, len(xs))
	for i := range xs {
		types[i], in[i] = Float64, bytesView(xs[i:i+1])
	}
	k, ok := LookupElementwise(name, types...)
	if !ok {
		panic("kernels: no function " + name)
	}
	var y [1]float64
	k.Run(bytesView(y[:]), in[0], in[1], in[2])
	return y[0]
}

// ParseBins reads a number of bins, or the name of a rule.
func ParseBins(s string) (Bins, error) {
	if binRules[s] != nil {
		return Bins{rule: s}, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > MaxBins {
		var names []string
		for name := range binRules {
			names = append(names, name)
		}
		slices.Sort(names)
		return Bins{}, fmt.Errorf("%q bins: give 1 to %d, or one of the rules %v", s, MaxBins, names)
	}
	return Bins{number: n}, nil
}

// String returns what [ParseBins] reads.
func (b Bins) String() string {
	if b.rule != "" {
		return b.rule
	}
	return strconv.Itoa(b.number)
}

// Quartiles reports whether [Bins.Histogram] needs the interquartile range.
func (b Bins) Quartiles() bool { return b.rule == "fd" || b.rule == "auto" }

// Histogram returns the histogram, without counts, from the least to the greatest of
// the numbers of which these are the moments, and iqr the interquartile range if that
// is needed. A rule that wants more bins than [MaxBins] gets that many. Bins of
// integers are no narrower than 1.
func (b Bins) Histogram(m *Moments, iqr float64) (*Histogram, error) {
	switch {
	case m.numbers() == 0:
		return nil, errors.New("there are no numbers for a histogram")
	case m.Inf() > 0:
		return nil, errors.New("no bins reach to infinity, which is among the numbers")
	}
	lo, hi := m.Min().Float64(), m.Max().Float64()
	number := b.number
	if b.rule != "" {
		width := binRules[b.rule](m, hi-lo, iqr)
		if !m.typ.IsFloat() && width < 1 && width > 0 {
			width = 1
		}
		number = 1
		if width > 0 {
			number = max(1, int(min(math.Ceil((hi-lo)/width), MaxBins)))
		}
	}
	return NewHistogram(lo, hi, number)
}
