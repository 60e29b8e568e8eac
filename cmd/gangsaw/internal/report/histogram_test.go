package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gangsaw/gangsaw/kernels"
)

func histogramOf(counts ...uint64) *Histogram {
	h := &Histogram{Counts: counts}
	for i := range len(counts) + 1 {
		h.Edges = append(h.Edges, number{kernels.FloatValue(float64(i) / 4)})
	}
	return h
}

func TestHistogramIsDrawnForItsCanvas(t *testing.T) {
	h := histogramOf(8, 0, 1, 1000)
	for _, c := range []struct {
		canvas Canvas
		want   string
	}{
		{Canvas{Width: 40}, "" +
			"  [0, 0.25)       8  #\n" +
			"  [0.25, 0.5)     0\n" +
			"  [0.5, 0.75)     1  #\n" +
			"  [0.75, 1]    1000  ###################\n"},
		{Canvas{Width: 40, Unicode: true, Colour: true}, "" +
			"  [0, 0.25)       8\x1b[36m  ▏\x1b[39m\n" +
			"  [0.25, 0.5)     0\n" +
			"  [0.5, 0.75)     1\x1b[36m  ▏\x1b[39m\n" +
			"  [0.75, 1]    1000\x1b[36m  ███████████████████\x1b[39m\n"},
	} {
		if got := h.draw(c.canvas); got != c.want {
			t.Errorf("%+v:\n%swant\n%s", c.canvas, got, c.want)
		}
	}
	for _, width := range []int{80, 200} {
		many := make([]uint64, 1000)
		for i := range many {
			many[i] = uint64(i)
		}
		lines := strings.Split(strings.TrimSuffix(histogramOf(many...).draw(Canvas{Width: width, Unicode: true}), "\n"), "\n")
		widest := 0
		for _, line := range lines {
			widest = max(widest, utf8.RuneCountInString(line))
		}
		if len(lines) > histogramRows || widest != width {
			t.Errorf("%d rows of %d columns, want up to %d of %d", len(lines), widest, histogramRows, width)
		}
	}
	if got := histogramOf(0, 0).draw(Canvas{Width: 80}); strings.Contains(got, "#") {
		t.Errorf("bars of nothing:\n%s", got)
	}
}
