package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newMan returns the command that make man calls. Pages are made of what --help
// says, in a few requests of man(7), so that no dependency is needed for it.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write a manual page for each command",
		Example: "  gangsaw man /usr/local/share/man/man1",
		Hidden:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("man needs one directory, not %d: see %s --help", len(args), cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			for _, c := range append([]*cobra.Command{cmd.Root()}, cmd.Root().Commands()...) {
				if c.Hidden || c.Name() == "help" {
					continue
				}
				var page strings.Builder
				writePage(&page, c)
				path := filepath.Join(args[0], pageName(c)+".1")
				if err := os.WriteFile(path, []byte(page.String()), 0o666); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// writePage writes the page of a command.
func writePage(w io.Writer, c *cobra.Command) {
	c.InitDefaultHelpFlag()
	fmt.Fprintf(w, ".TH %s 1 \"\" \"gangsaw\" \"User Commands\"\n", roff(strings.ToUpper(pageName(c))))
	fmt.Fprintf(w, ".SH NAME\n%s \\- %s\n", roff(pageName(c)), roff(c.Short))
	use := c.UseLine()
	if c.HasAvailableSubCommands() && !c.HasParent() {
		use = c.Name() + " COMMAND [flags] [ARGUMENT]..."
	}
	fmt.Fprintf(w, ".SH SYNOPSIS\n%s\n", roff(use))
	if c.Long != "" {
		fmt.Fprintf(w, ".SH DESCRIPTION\n")
		verbatim(w, c.Long)
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, ".SH COMMANDS\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(sub.Name()), roff(sub.Short))
			}
		}
	}
	fmt.Fprintf(w, ".SH OPTIONS\n")
	c.Flags().VisitAll(func(f *pflag.Flag) {
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if kind, _ := pflag.UnquoteUsage(f); kind != "" {
			name += " " + kind
		}
		usage := f.Usage
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(name), roff(usage))
	})
	if c.Example != "" {
		fmt.Fprintf(w, ".SH EXAMPLES\n")
		verbatim(w, c.Example)
	}
}

// verbatim writes lines as they are.
func verbatim(w io.Writer, text string) {
	fmt.Fprintf(w, ".nf\n")
	for line := range strings.Lines(text) {
		fmt.Fprintf(w, "%s\n", roff(strings.TrimSuffix(line, "\n")))
	}
	fmt.Fprintf(w, ".fi\n")
}

// roff returns a line with what means something to troff made literal.
func roff(line string) string {
	line = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(line)
	if strings.HasPrefix(line, ".") {
		line = `\&` + line
	}
	return line
}
