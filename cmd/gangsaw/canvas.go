package main

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
)

// Columns of what is drawn, when nobody says.
const (
	defaultColumns = 80
	leastColumns   = 40
)

// canvas returns what can be drawn on a file.
func canvas(out *os.File) report.Canvas {
	c := report.Canvas{Width: defaultColumns, Unicode: utf8Locale()}
	columns, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if fd := int(out.Fd()); term.IsTerminal(fd) {
		c.Colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if width, _, sizeErr := term.GetSize(fd); sizeErr == nil && err != nil {
			columns, err = width, nil
		}
	}
	if err == nil && columns > 0 {
		c.Width = max(columns, leastColumns)
	}
	return c
}

// utf8Locale reports whether the locale's characters are encoded in UTF-8.
func utf8Locale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(os.Getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
