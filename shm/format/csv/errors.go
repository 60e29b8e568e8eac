package csv

import "fmt"

// Error reports a cell, or a row, that cannot be read.
type Error struct {
	Line, Column int    // of text, from 1; the column in bytes
	Name         string // of the column of the table, "" if it is a row that is wrong
	What         string
	Remedy       string
}

func (e *Error) Error() string {
	s := fmt.Sprintf("csv, line %d, column %d: ", e.Line, e.Column)
	if e.Name != "" {
		s += fmt.Sprintf("%q: ", e.Name)
	}
	s += e.What
	if e.Remedy != "" {
		s += ": " + e.Remedy
	}
	return s
}

// shown returns a cell as errors quote it.
func shown(cell string) string {
	if len(cell) > 40 {
		return fmt.Sprintf("%q...", cell[:40])
	}
	return fmt.Sprintf("%q", cell)
}
