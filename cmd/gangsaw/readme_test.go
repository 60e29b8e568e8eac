package main

import (
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The programs in README, in a module of their own, print what README says.
func TestProgramsInReadmeRun(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	programs := regexp.MustCompile("(?s)```go\n(package main.*?)```\n(?:\n```\n(.*?)```)?").FindAllStringSubmatch(string(readme), -1)
	if len(programs) < 2 {
		t.Fatalf("README has %d programs", len(programs))
	}
	if n := strings.Count(programs[0][1], "\n"); n > 20 {
		t.Errorf("the quickstart has %d lines, want 20 at most", n)
	}
	for _, p := range programs {
		if pretty, err := format.Source([]byte(p[1])); err != nil || string(pretty) != p[1] {
			t.Errorf("%v: not as gofmt has it:\n%s", err, p[1])
		}
		dir := t.TempDir()
		run := func(name string, args ...string) string {
			t.Helper()
			cmd := exec.Command(name, args...)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
			out, err := cmd.Output()
			if err != nil {
				stderr := ""
				if exit, ok := err.(*exec.ExitError); ok {
					stderr = string(exit.Stderr)
				}
				t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, stderr)
			}
			return string(out)
		}
		sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(ecg)
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string]string{"main.go": p[1], "go.sum": string(sums), "ecg.npy": string(data)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		run("go", "mod", "init", "example.com/try")
		run("go", "mod", "edit", "-require", strings.TrimSuffix(module, "/")+"@v0.0.0", "-replace", strings.TrimSuffix(module, "/")+"="+here)
		run("go", "build", "-o", "try", ".")
		if got := run("./try"); got != p[2] {
			t.Errorf("%s\nprints\n%s\nREADME says\n%s", p[1], got, p[2])
		}
	}
}
