package progress

import (
	"fmt"
	"strings"

	"golang.org/x/term"
)

const (
	// barColumns is how wide a terminal is taken to be that does not tell.
	barColumns = 80
	// spareColumns stay free, so that the ^C of who interrupts a run does not begin
	// another line, beyond which nothing is cleared.
	spareColumns = 4
	// A bar has that many columns, brackets not counted; where there are fewer, the
	// line alone tells.
	leastBar, mostBar = 4, 30

	clearLine = "\r\x1b[K"
)

// showBar draws a bar and a line about it; the lock is held.
func (v *View) showBar(done, total uint64, line string) {
	columns, _, err := term.GetSize(int(v.out.Fd()))
	if err != nil || columns <= 0 {
		columns = barColumns
	}
	fmt.Fprint(v.out, clearLine+drawn(done, total, line, columns-spareColumns))
	v.bar = true
}

// drawn returns a bar, if there is a total, and the line, in so many columns at most.
func drawn(done, total uint64, line string, columns int) string {
	text := ""
	if total > 0 {
		share := min(1, float64(done)/float64(total))
		text = fmt.Sprintf("%3.0f %% ", 100*share)
		if room := min(mostBar, columns-len(text)-len("[] ")-len(line)); room >= leastBar {
			full := int(share * float64(room))
			text += "[" + strings.Repeat("#", full) + strings.Repeat("-", room-full) + "] "
		}
	}
	text += line
	return text[:max(0, min(len(text), columns))]
}

// clearBar takes a bar away that is shown; the lock is held.
func (v *View) clearBar() {
	if v.bar {
		fmt.Fprint(v.out, clearLine)
		v.bar = false
	}
}
