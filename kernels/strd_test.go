package kernels

import (
	"math"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"
)

// piDigits returns NIST's PiDigits: the first 5,000 digits of pi, of which the
// set gives one, at place 956, as 3, where pi has an 8.
func piDigits() []float64 {
	xs := digitsOfPi(5000)
	xs[956] = 3
	return xs
}

// digitsOfPi returns the first n decimal digits of pi, by Machin's formula.
func digitsOfPi(n int) []float64 {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n+10)), nil)
	arctan := func(x int64) *big.Int { // of 1/x
		sum, power := new(big.Int), new(big.Int).Quo(unit, big.NewInt(x))
		for k := int64(1); power.Sign() != 0; k += 2 {
			term := new(big.Int).Quo(power, big.NewInt(k))
			if k%4 == 3 {
				term.Neg(term)
			}
			sum.Add(sum, term)
			power.Quo(power, big.NewInt(x*x))
		}
		return sum
	}
	pi := arctan(5)
	pi.Mul(pi, big.NewInt(4)).Sub(pi, arctan(239)).Mul(pi, big.NewInt(4))
	text := pi.String()[:n]
	return numbers(n, func(i int) float64 { return float64(text[i] - '0') })
}

func strd(t *testing.T, name string) (xs []float64) {
	t.Helper()
	text, err := os.ReadFile("testdata/strd/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(text)) {
		x, err := strconv.ParseFloat(line, 64)
		if err != nil {
			t.Fatal(err)
		}
		xs = append(xs, x)
	}
	return xs
}

// alternating is NumAcc2, 3 and 4: one value, then pairs around it.
func alternating(middle, low, high float64) []float64 {
	return numbers(1001, func(i int) float64 {
		switch {
		case i == 0:
			return middle
		case i%2 == 1:
			return low
		}
		return high
	})
}

// NIST's reference data for univariate statistics. Mean and standard deviation
// agree to 14 digits or better with exact arithmetic on the float64 that the
// data becomes; the certified values, which are of the decimal numbers, show
// that this is the data.
func TestReferenceDataOfNIST(t *testing.T) {
	for _, c := range []struct {
		name      string
		xs        []float64
		mean, std float64 // as certified
	}{
		{"PiDigits", piDigits(), 4.53480000000000, 2.86733906028871},
		{"Lottery", strd(t, "Lottery"), 518.958715596330, 291.699727470969},
		{"Lew", strd(t, "Lew"), -177.435000000000, 277.332168044316},
		{"Mavro", strd(t, "Mavro"), 2.00185600000000, 0.000429123454003053},
		{"Michelso", strd(t, "Michelso"), 299.852400000000, 0.0790105478190518},
		{"NumAcc1", []float64{10000001, 10000003, 10000002}, 10000002, 1},
		{"NumAcc2", alternating(1.2, 1.1, 1.3), 1.2, 0.1},
		{"NumAcc3", alternating(1000000.2, 1000000.1, 1000000.3), 1000000.2, 0.1},
		{"NumAcc4", alternating(10000000.2, 10000000.1, 10000000.3), 10000000.2, 0.1},
	} {
		exact := exactOf(c.xs)
		n := int64(len(c.xs))
		variance := new(big.Rat).Mul(exact.variance, big.NewRat(n, n-1))
		std, _ := new(big.Float).Sqrt(new(big.Float).SetPrec(200).SetRat(variance)).Float64()
		if math.Abs(std-c.std) > 1e-7*c.std || math.Abs(floatOfRat(exact.mean)-c.mean) > 1e-14*math.Abs(c.mean) {
			t.Errorf("%s: this is other data: mean %v, std %v, certified %v, %v", c.name, floatOfRat(exact.mean), std, c.mean, c.std)
		}
		onTiers(t, func(t *testing.T) {
			s := total[Summary](t, Summarize, Float64, bytesView(c.xs))
			if got := s.Mean().Float64(); got != floatOfRat(exact.mean) {
				t.Errorf("%s: mean %v, want %v", c.name, got, floatOfRat(exact.mean))
			}
			if got := s.Std(1).Float64(); math.Abs(got-std) > 1e-14*std {
				t.Errorf("%s: std %v, want %v", c.name, got, std)
			}
		})
	}
}
