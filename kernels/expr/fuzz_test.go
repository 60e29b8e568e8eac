package expr

import (
	"errors"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// FuzzParse compiles any text, and computes what compiles.
func FuzzParse(f *testing.F) {
	for _, c := range faulty {
		f.Add(strings.NewReplacer("«", "", "»", "").Replace(c.text), c.remedy)
	}
	f.Add("`"+strings.Repeat("\xe8", 2000)+"`", "") // a long name, each byte of which is shown as four
	f.Add("(x-mean(x))/std(x), sum(where(x>1, i//w, 0)) if any(m) else prod(s)", "x > mean(x)")
	f.Add("h**2 + b*1e300 - u%-3, argmin(n), norm(k), corr(f, v) < 2**70", "m")
	f.Add("where(x > quantile(x, .99), x, median(i)), (f-nanmedian(f[1:]))/percentile(n, 5e1, method=lower)", "x > median(y, axis=None)")
	f.Fuzz(func(t *testing.T, text, where string) {
		for _, options := range []Options{{}, {Where: where, Apart: true}} {
			_, _, err := compute(text, sample(), options, usual)
			var e *Error
			switch {
			case err == nil:
			case !errors.As(err, &e):
				t.Fatalf("%q: %v has no position", text, err)
			case e.Src != text && e.Src != where || e.Col < 0 || e.Len < 0 || e.Col+e.Len > len(e.Src):
				t.Fatalf("%q: the position %d+%d is beyond %q", text, e.Col, e.Len, e.Src)
			case e.Msg == "" || len(e.Error()) > 2000+len(text)+len(where):
				t.Fatalf("%q: %q", text, e.Error())
			}
		}
	})
}

// FuzzDecode runs whatever bytes are taken for a program.
func FuzzDecode(f *testing.F) {
	inputs := make([]Input, 0, 13)
	for _, a := range sample() {
		inputs = append(inputs, a.Input)
	}
	for _, text := range []string{"x+1", "(x-mean(x))/std(x), x*2", "i < 300, sum(h*b), dot(x,y), m", "kurtosis(f), norm(w), argmin(s), prod(u), any(m)"} {
		plan, err := Compile(text, inputs, Options{})
		if err != nil {
			f.Fatal(err)
		}
		pass, err := plan.Start().Next()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pass.Program)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		r := p.NewRunner()
		for _, n := range []int{kernels.BlockLen, 5} {
			blocksOf := func(types []kernels.Type) (blocks [][]byte) {
				for _, typ := range types {
					blocks = append(blocks, make([]byte, n*typ.Size()))
				}
				return blocks
			}
			r.Block(n, blocksOf(p.Outputs()), blocksOf(p.Inputs()))
		}
		r.Partial(make([]byte, p.PartialSize()))
		if again, err := Decode(p.encode()); err != nil || len(again.ops) != len(p.ops) {
			t.Fatalf("it is read once, and then: %v", err)
		}
	})
}
