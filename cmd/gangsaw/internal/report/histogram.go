package report

import (
	"fmt"
	"strconv"
	"strings"
)

// Canvas is what a histogram is drawn on.
type Canvas struct {
	Width   int  // columns
	Unicode bool // blocks that fill a part of a column can be shown
	Colour  bool
}

const (
	// histogramRows is how many rows a histogram has at most: more bins share rows.
	histogramRows = 24
	// leastBar is the least room for bars, however narrow the canvas.
	leastBar = 8

	colourOn, colourOff = "\x1b[36m", "\x1b[39m"
)

// draw returns the histogram as rows of bars, with a newline after each.
func (h *Histogram) draw(c Canvas) string {
	each := (len(h.Counts) + histogramRows - 1) / histogramRows
	type row struct {
		label, count string
		n            uint64
	}
	var rows []row
	most, labels, counts := uint64(0), 0, 0
	for i := 0; i < len(h.Counts); i += each {
		end := min(i+each, len(h.Counts))
		var n uint64
		for _, k := range h.Counts[i:end] {
			n += k
		}
		bracket := ")"
		if end == len(h.Counts) {
			bracket = "]"
		}
		r := row{"[" + edge(h.Edges[i].Float64()) + ", " + edge(h.Edges[end].Float64()) + bracket, strconv.FormatUint(n, 10), n}
		rows = append(rows, r)
		most, labels, counts = max(most, n), max(labels, len(r.label)), max(counts, len(r.count))
	}
	room := max(leastBar, c.Width-labels-counts-6)
	var b strings.Builder
	for _, r := range rows {
		bar := c.bar(r.n, most, room)
		if bar != "" {
			bar = "  " + bar
		}
		if c.Colour && bar != "" {
			bar = colourOn + bar + colourOff
		}
		fmt.Fprintf(&b, "  %-*s  %*s%s\n", labels, r.label, counts, r.count, bar)
	}
	return b.String()
}

// edge returns an edge in few digits.
func edge(f float64) string { return strconv.FormatFloat(f, 'g', 5, 64) }

// parts are the eighths of a block.
var parts = []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// bar returns a bar of room columns for most, in proportion for n, of which something
// is seen unless it is 0.
func (c Canvas) bar(n, most uint64, room int) string {
	if n == 0 {
		return ""
	}
	full := float64(n) / float64(most) * float64(room)
	if !c.Unicode {
		return strings.Repeat("#", max(1, int(full+0.5)))
	}
	eighths := max(1, int(full*8+0.5))
	return strings.Repeat("█", eighths/8) + parts[eighths%8]
}
