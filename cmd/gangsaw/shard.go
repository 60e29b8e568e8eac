package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/supervisor"
)

// shardFlags have a command do a part of the work, to be merged with the others'.
type shardFlags struct {
	shard, partial, next string
}

func (f *shardFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.shard, "shard", "", "do one of several parts of the work, counted from 0: 0/4 to 3/4 are all of 4; gangsaw merge puts them together")
	cmd.Flags().StringVar(&f.partial, "partial", "", "write what the shard finds to this file")
	cmd.Flags().StringVar(&f.next, "next", "", "the file that gangsaw merge --next wrote, for another round")
}

// sharding is how a command does a part of the work.
type sharding struct {
	shard supervisor.Shard
	file  string
	next  []*supervisor.Partial // of the round before, nil in the first
	found []*supervisor.Partial
}

// sharding returns nil if all of the work is to be done.
func (f *shardFlags) sharding() (*sharding, error) {
	switch {
	case f.shard == "" && (f.partial != "" || f.next != ""):
		return nil, usageError{errors.New("--partial and --next are about a shard: give --shard 0/4, say, as well")}
	case f.shard == "":
		return nil, nil
	case f.partial == "":
		return nil, usageError{errors.New("--shard needs a file for what the shard finds: give --partial OUT as well")}
	}
	s := &sharding{file: f.partial}
	var err error
	if s.shard, err = supervisor.ParseShard(f.shard); err != nil {
		return nil, usageError{fmt.Errorf("--shard: %w", err)}
	}
	if f.next != "" {
		if s.next, err = supervisor.ReadPartials(f.next); err != nil {
			return nil, fmt.Errorf("--next: %w", err)
		}
	}
	return s, nil
}

// begin returns what the next computation of the command begins with.
func (s *sharding) begin() (*supervisor.Partial, error) {
	switch i := len(s.found); {
	case s.next == nil:
		return nil, nil
	case i < len(s.next):
		return s.next[i], nil
	}
	return nil, fmt.Errorf("--next is about %d arrays, and there are more: give the same files as in the round before", len(s.next))
}

// part returns how much of a number of bytes or elements is the shard's, about.
func (s *sharding) part(n uint64) uint64 {
	if s == nil {
		return n
	}
	return n / uint64(s.shard.Of)
}

// write leaves what was found.
func (s *sharding) write() (printer, error) {
	if s.next != nil && len(s.found) < len(s.next) {
		return nil, fmt.Errorf("--next is about %d arrays, and there are %d: give the same files as in the round before", len(s.next), len(s.found))
	}
	if err := supervisor.WritePartials(s.file, s.found...); err != nil {
		return nil, err
	}
	return (&report.Partial{File: s.file, Shard: s.shard}).Write, nil
}
