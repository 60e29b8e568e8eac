package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if c.Short == "" || c.Example == "" || !strings.Contains(c.Example, "gangsaw "+c.Name()) {
			t.Errorf("%s: short %q, example %q", c.Name(), c.Short, c.Example)
		}
		if strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: a short text is no sentence: %q", c.Name(), c.Short)
		}
	}
}

func TestCompletionIsThereForEveryShell(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := gangsaw(t, "completion", shell); out.status != 0 || !strings.Contains(out.stdout, "gangsaw") {
			t.Errorf("%s: status %d, %s", shell, out.status, out.stderr)
		}
	}
	if out := gangsaw(t, "__complete", "st"); !strings.HasPrefix(out.stdout, "stat\t") {
		t.Errorf("st completes to %q", out.stdout)
	}
	if out := gangsaw(t, "__complete", "stat", "--progress", ""); !strings.Contains(out.stdout, "json\n") {
		t.Errorf("--progress completes to %q", out.stdout)
	}
}

func TestManualPagesHaveEveryCommandAndFlag(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if out := gangsaw(t, "man", dir); out.status != 0 {
		t.Fatalf("%+v", out)
	}
	for _, c := range newRoot().Commands() {
		if c.Hidden {
			continue
		}
		path := filepath.Join(dir, "gangsaw-"+c.Name()+".1")
		page, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(string(page), roff("--"+f.Name)) {
				t.Errorf("%s lacks --%s", path, f.Name)
			}
		})
		// Its own lines apart, no line begins a request.
		for line := range strings.Lines(string(page)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch {
			case strings.HasPrefix(line, "'"):
				t.Errorf("%s: %q", path, line)
			case strings.HasPrefix(line, ".") && !strings.Contains(".TH .SH .TP .B .nf .fi", word):
				t.Errorf("%s: %q", path, line)
			}
		}
		if man, err := exec.LookPath("man"); err == nil {
			text, err := exec.Command(man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", path).CombinedOutput()
			if err != nil || strings.Contains(string(text), "warning") {
				t.Errorf("man %s: %v: %s", path, err, text)
			}
		}
	}
}
