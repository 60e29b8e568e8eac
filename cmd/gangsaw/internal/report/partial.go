package report

import (
	"io"
	"strconv"

	"github.com/gangsaw/gangsaw/supervisor"
)

// Partial is the report of a command that did a shard of its work.
type Partial struct {
	File  string
	Shard supervisor.Shard
}

// Write prints the report, of which tables have nothing: the file is there.
func (p *Partial) Write(w io.Writer, form Form, run Run) error {
	switch form {
	case JSON:
		type partial struct {
			File  string `json:"file"`
			Shard int    `json:"shard"`
			Of    int    `json:"of"`
		}
		return writeJSON(w, struct {
			Schema  int     `json:"schema"`
			Partial partial `json:"partial"`
			Run     Run     `json:"run"`
		}{schema, partial{p.File, p.Shard.Index, p.Shard.Of}, run})
	case CSV:
		return writeCSV(w, []string{"file", "shard", "of"}, [][]string{{p.File, strconv.Itoa(p.Shard.Index), strconv.Itoa(p.Shard.Of)}})
	}
	return nil
}
