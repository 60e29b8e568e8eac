package expr

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Error is what is wrong with an expression, and where.
type Error struct {
	Src    string // the expression
	Col    int    // the byte of Src at which what is wrong begins; len(Src) is its end
	Len    int    // and how many bytes long it is
	Msg    string
	Remedy string // what to write instead, "" where there is nothing to say
}

// width is the most characters of an expression that a message shows.
const width = 76

// Error returns the message, the expression with a caret below the fault, and
// the remedy, on lines of their own.
func (e *Error) Error() string {
	at, length := utf8.RuneCountInString(e.Src[:e.Col]), utf8.RuneCountInString(e.Src[e.Col:e.Col+e.Len])
	line := []rune(e.Src)
	for i, r := range line {
		if r < ' ' {
			line[i] = ' ' // one column each
		}
	}
	shown, from := line, 0
	if len(line) > width {
		from = max(0, min(at-width/2, len(line)-width))
		shown = line[from : from+width]
	}
	carets := max(1, min(length, from+len(shown)-at))
	text := fmt.Sprintf("%s, at column %d\n  %s\n  %s%s", e.Msg, at+1, string(shown), strings.Repeat(" ", at-from), strings.Repeat("^", carets))
	if e.Remedy != "" {
		text += "\n" + e.Remedy
	}
	return text
}

// span is a part of the expression's text.
type span struct{ pos, end int }

// longestShown is how many bytes of a text an error quotes.
const longestShown = 60

// source makes errors about its text.
type source string

func (s source) errorf(at span, remedy, format string, args ...any) *Error {
	for i, a := range args {
		// A name may be as long as the text.
		if text, ok := a.(string); ok && len(text) > longestShown {
			args[i] = text[:longestShown-3] + "..."
		}
	}
	return &Error{Src: string(s), Col: at.pos, Len: at.end - at.pos, Msg: fmt.Sprintf(format, args...), Remedy: remedy}
}

// place is a part of an expression.
type place struct {
	src source
	span
}

func (p place) errorf(remedy, format string, args ...any) *Error {
	return p.src.errorf(p.span, remedy, format, args...)
}

// nearest returns the known name that takes the fewest edits to become name,
// "" if none is near.
func nearest(name string, known []string) string {
	best, at := "", 1+min(2, utf8.RuneCountInString(name)/2)
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := edits(name, k, at); d < at {
			best, at = k, d
		}
	}
	return best
}

// edits returns how many characters must be put in, taken out, replaced or
// exchanged with their neighbours to make b of a; some number from limit on, if
// it is not below limit.
func edits(a, b string, limit int) int {
	if len(a) > len(b)+4*limit || len(b) > len(a)+4*limit {
		return limit
	}
	from, to := []rune(a), []rune(b)
	var before []int // the row above the one above
	above := make([]int, len(to)+1)
	for j := range above {
		above[j] = j
	}
	for i, r := range from {
		row := make([]int, len(to)+1)
		row[0] = i + 1
		for j, s := range to {
			replaced := above[j]
			if r != s {
				replaced++
			}
			row[j+1] = min(replaced, row[j]+1, above[j+1]+1)
			if i > 0 && j > 0 && r == to[j-1] && s == from[i-1] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above = above, row
	}
	return above[len(to)]
}
