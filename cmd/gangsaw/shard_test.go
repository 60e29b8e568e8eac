package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shards runs a command in so many shards, and merges, as often as it takes.
func shards(t *testing.T, of int, form string, args ...string) output {
	t.Helper()
	dir := t.TempDir()
	next := filepath.Join(dir, "next")
	merge := []string{"merge", "--format", form, "--next", next}
	for i := range of {
		merge = append(merge, filepath.Join(dir, fmt.Sprint("part.", i)))
	}
	var round []string
	for range 4 {
		for i := range of {
			shard := append([]string{args[0], "--shard", fmt.Sprintf("%d/%d", i, of), "--partial", merge[5+i], "--in-process"}, append(round, args[1:]...)...)
			if out := gangsaw(t, shard...); out.status != 0 || out.stdout != "" {
				t.Fatalf("%q: %+v", shard, out)
			}
		}
		out := gangsaw(t, merge...)
		if out.status != exitNextRound {
			return out
		}
		if out.stdout != "" || !strings.Contains(out.stderr, "run every shard again with --next "+next) {
			t.Fatalf("another round: %+v", out)
		}
		round = []string{"--next", next}
	}
	t.Fatalf("%q: no end of rounds", args)
	return output{}
}

var runOfJSON = regexp.MustCompile(`(?s)"run": {.*?}`)

func TestMergePrintsWhatOneRunPrints(t *testing.T) {
	text := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(text, []byte("a,b\n1,2\n,5\n3,4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, args := range [][]string{
		{"stat", ecg},
		{"stat", "--bins", "auto", "--quantiles", "0.5,0.25", ecg, text},
		{"stat", "--quick", text},
		{"stat", "--concat", ecg, ecg},
		{"eval", "mean(x), median(x), std(x) / max(abs(x))", ecg},
		{"eval", "sum(x)", ecg},
	} {
		form := []string{"table", "json", "csv", "table", "json", "table"}[i]
		want := gangsaw(t, append(args, "--in-process", "--format", form)...)
		got := shards(t, 3, form, args...)
		if want.status != 0 || got.status != 0 {
			t.Fatalf("%q: %+v, %+v", args, got, want)
		}
		if a, b := runOfJSON.ReplaceAllString(got.stdout, ""), runOfJSON.ReplaceAllString(want.stdout, ""); a != b || a == "" {
			t.Errorf("%q: shards print\n%s\none run\n%s", args, a, b)
		}
	}
}

func TestMistakesWithShardsAreTold(t *testing.T) {
	dir := t.TempDir()
	part := filepath.Join(dir, "part")
	if out := gangsaw(t, "stat", "--shard", "0/2", "--partial", part, "--json", "--in-process", ecg); out.status != 0 || !strings.Contains(out.stdout, `"shard": 0`) {
		t.Fatalf("%+v", out)
	}
	whole := filepath.Join(dir, "whole")
	if out := gangsaw(t, "stat", "--shard", "0/1", "--partial", whole, "--in-process", ecg); out.status != 0 {
		t.Fatalf("%+v", out)
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"stat", "--shard", "4/4", "--partial", "p", ecg}, 2, "--shard: shard 4/4: shards count from 0, so that those of 4 are 0/4 to 3/4"},
		{[]string{"stat", "--shard", "1", "--partial", "p", ecg}, 2, `"1" is no shard: write 0/4`},
		{[]string{"stat", "--shard", "1/2", ecg}, 2, "give --partial OUT as well"},
		{[]string{"eval", "--partial", "p", "sum(x)", ecg}, 2, "give --shard 0/4, say, as well"},
		{[]string{"stat", "--shard", "0/2", "--partial", "p", "--per-column", ecg}, 2, "--per-column"},
		{[]string{"eval", "--shard", "0/2", "--partial", "p", "--in-place", "x+1", ecg}, 2, "neither -o nor --in-place"},
		{[]string{"eval", "--shard", "0/2", "--partial", filepath.Join(dir, "p"), "x+1", ecg}, 1, "x+1 is an array, and shards reduce arrays to scalars"},
		{[]string{"stat", "--shard", "0/2", "--partial", ecg, ecg}, 1, ecg + ": it is there, and no partial that may be replaced"},
		{[]string{"stat", "--shard", "0/2", "--partial", filepath.Join(dir, "p"), "--next", part, ecg}, 1, part + ": it is of one shard"},
		{[]string{"merge", part}, 1, "there is no partial of shard 1/2 (elements "},
		{[]string{"merge", part, part}, 1, "both are of shard 0/2"},
		{[]string{"merge", ecg}, 1, ecg + ": it is no partial of gangsaw's"},
		{[]string{"merge", whole}, 2, "another round is needed: give --next FILE"},
		{[]string{"merge"}, 2, "merge needs a file"},
	} {
		if out := gangsaw(t, c.args...); out.status != c.status || !strings.Contains(out.stderr, c.want) || out.stdout != "" {
			t.Errorf("%q: %+v, want %q", c.args, out, c.want)
		}
	}
}
