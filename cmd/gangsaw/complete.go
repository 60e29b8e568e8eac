package main

import "github.com/spf13/cobra"

// choices are the flags whose values are known words.
var choices = map[string][]string{
	"format":   {"table", "json", "csv"},
	"progress": {"auto", "bar", "log", "json", "none"},
	"isa":      {"auto", "scalar", "avx2", "avx512"},
	"order":    {"little"},
	"nulls":    {"refuse", "nan"},
}

// complete has shells offer known words, in a command and those below it.
func complete(cmd *cobra.Command) {
	for name, words := range choices {
		if cmd.Flags().Lookup(name) != nil {
			// It fails only for flags that do not exist.
			cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	for _, sub := range cmd.Commands() {
		complete(sub)
	}
}
